//! Tables through their API, without a server.

use serde_json::{Value, json};

use super::{Deed, TABLE_MS, act, call};
use crate::aws::account::Account;
use crate::aws::args::Args;
use crate::aws::place::Place;
use crate::aws::service::Request;
use crate::aws::sts::Caller;

fn ask(account: &mut Account, operation: &str, args: Value) -> Result<Value, (String, Value)> {
    let caller = Caller::default();
    let request = Request {
        operation,
        args: Args(&args),
        caller: &caller,
        place: Place::home(),
        endpoint: "",
    };
    call(account, &request)
        .unwrap()
        .map_err(|error| (error.code, error.members.unwrap_or_default()))
}

fn do_it(account: &mut Account, deed: Value) {
    let deed: Deed = serde_json::from_value(deed).unwrap();
    act(account.region(&Place::home()), &deed).unwrap();
}

/// An account with the table `t` (`pk`, `sk:N`) of `count` items under one hash key.
fn account(count: usize) -> Account {
    let mut account = Account::empty(0);
    let items: Vec<Value> = (0..count)
        .map(|number| json!({"pk": {"S": "a"}, "sk": {"N": number.to_string()}, "odd": {"BOOL": number % 2 == 1}}))
        .collect();
    let seed = json!({"name": "t", "key": ["pk", "sk:N"], "item": items, "stream": true});
    account
        .region(&Place::home())
        .plant_table(&serde_json::from_value(seed).unwrap());
    account
}

fn key(number: i64) -> Value {
    json!({"pk": {"S": "a"}, "sk": {"N": number.to_string()}})
}

#[test]
fn a_write_under_a_condition_that_fails_shows_the_item_as_it_is() {
    let mut account = account(1);
    let mut update = json!({
        "TableName": "t", "Key": key(0), "UpdateExpression": "SET #c = :green", "ConditionExpression": "#c = :blue",
        "ExpressionAttributeNames": {"#c": "current"}, "ExpressionAttributeValues": {":green": {"S": "green"}, ":blue": {"S": "blue"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let (code, members) = ask(&mut account, "UpdateItem", update.clone()).unwrap_err();
    assert_eq!(code, "ConditionalCheckFailedException");
    assert_eq!(members["Item"]["odd"], json!({"BOOL": false}));
    do_it(
        &mut account,
        json!({"put": {"table": "t", "item": {"pk": {"S": "a"}, "sk": {"N": "0"}, "current": {"S": "blue"}}}}),
    );
    update["ReturnValues"] = json!("UPDATED_OLD");
    let answer = ask(&mut account, "UpdateItem", update.clone()).unwrap();
    assert_eq!(answer["Attributes"], json!({"current": {"S": "blue"}}));
    let (code, _) = ask(&mut account, "UpdateItem", update).unwrap_err();
    assert_eq!(code, "ConditionalCheckFailedException", "compare and set works once");
}

#[test]
fn a_page_ends_at_its_limit_and_the_next_goes_on_behind_it() {
    let mut account = account(5);
    let mut seen = Vec::new();
    let mut ask_page = json!({
        "TableName": "t", "KeyConditionExpression": "pk = :a AND sk > :zero", "FilterExpression": "odd = :yes", "Limit": 2,
        "ExpressionAttributeValues": {":a": {"S": "a"}, ":zero": {"N": "0"}, ":yes": {"BOOL": true}}, "ScanIndexForward": false,
    });
    let mut pages = 0;
    loop {
        let page = ask(&mut account, "Query", ask_page.clone()).unwrap();
        seen.extend(
            page["Items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["sk"]["N"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        if page["LastEvaluatedKey"].is_null() {
            break;
        }
        ask_page["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
    assert_eq!(
        (seen, pages),
        (vec!["3".to_owned(), "1".to_owned()], 3),
        "the limit counts what is read, not what fits"
    );
    let one = ask(
        &mut account,
        "Scan",
        json!({"TableName": "t", "Limit": 1, "Select": "COUNT"}),
    )
    .unwrap();
    assert_eq!((&one["Count"], one["Items"].is_null()), (&json!(1), true));
    let mut total = 0;
    for segment in 0..4 {
        let page = ask(
            &mut account,
            "Scan",
            json!({"TableName": "t", "Segment": segment, "TotalSegments": 4}),
        )
        .unwrap();
        total += page["Count"].as_i64().unwrap();
    }
    assert_eq!(total, 5, "segments share the items out");
}

#[test]
fn the_count_is_old_until_it_is_refreshed() {
    let mut account = account(3);
    do_it(&mut account, json!({"fill": {"table": "t", "count": 7}}));
    let count = |account: &mut Account| {
        ask(account, "DescribeTable", json!({"TableName": "t"})).unwrap()["Table"]["ItemCount"].clone()
    };
    assert_eq!(count(&mut account), 3);
    do_it(&mut account, json!({"count": {"table": "t"}}));
    assert_eq!(count(&mut account), 10);
}

#[test]
fn a_read_that_is_not_consistent_lags_behind_when_told_to() {
    let mut account = account(1);
    do_it(&mut account, json!({"lag": {"table": "t", "seconds": 2}}));
    ask(&mut account, "DeleteItem", json!({"TableName": "t", "Key": key(0)})).unwrap();
    let there = |account: &mut Account, consistent: bool| {
        let args = json!({"TableName": "t", "Key": key(0), "ConsistentRead": consistent});
        !ask(account, "GetItem", args).unwrap()["Item"].is_null()
    };
    assert!(there(&mut account, false) && !there(&mut account, true));
    account.advance(2_000);
    assert!(!there(&mut account, false));
}

#[test]
fn a_table_takes_a_while_to_come_and_to_go() {
    let mut account = Account::empty(0);
    let make = json!({"TableName": "new", "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"});
    ask(&mut account, "CreateTable", make.clone()).unwrap();
    assert_eq!(
        ask(&mut account, "CreateTable", make).unwrap_err().0,
        "ResourceInUseException"
    );
    let put = json!({"TableName": "new", "Item": {"pk": {"S": "1"}}});
    assert_eq!(
        ask(&mut account, "PutItem", put.clone()).unwrap_err().0,
        "ResourceNotFoundException"
    );
    account.advance(TABLE_MS);
    ask(&mut account, "PutItem", put).unwrap();
    let gone = ask(&mut account, "DeleteTable", json!({"TableName": "new"})).unwrap();
    assert_eq!(gone["TableDescription"]["TableStatus"], "DELETING");
    account.advance(2 * TABLE_MS);
    let (code, _) = ask(&mut account, "DescribeTable", json!({"TableName": "new"})).unwrap_err();
    assert_eq!(code, "ResourceNotFoundException");
}

#[test]
fn a_batch_leaves_undone_what_it_is_told_to() {
    let mut account = account(0);
    do_it(&mut account, json!({"unprocessed": {"count": 1}}));
    let put = |number: i64| json!({"PutRequest": {"Item": key(number)}});
    let batch = json!({"RequestItems": {"t": [put(1), put(2)]}});
    let left = ask(&mut account, "BatchWriteItem", batch.clone()).unwrap();
    assert_eq!(left["UnprocessedItems"], json!({"t": [put(2)]}));
    let left = ask(&mut account, "BatchWriteItem", batch).unwrap();
    assert_eq!(left["UnprocessedItems"], json!({}));
    let twice = json!({"RequestItems": {"t": [put(1), put(1)]}});
    assert_eq!(
        ask(&mut account, "BatchWriteItem", twice).unwrap_err().0,
        "ValidationException"
    );
}
