//! Changes of records, without a server.

use serde_json::{Value, json};

use super::{INSYNC_MS, changes, records};
use crate::aws::args::Args;
use crate::aws::place::Place;
use crate::aws::region::Region;

fn region() -> Region {
    let mut region = Region::new(Place::home().global(), 0);
    let seed = json!({"name": "example.org", "id": "Z1", "record": [{"name": "app.example.org", "type": "A", "alias": "blue.cloudfront.net"}]});
    region.plant_zone(&serde_json::from_value(seed).unwrap());
    region
}

fn record(name: &str, value: &str) -> Value {
    json!({"Name": name, "Type": "TXT", "TTL": "60", "ResourceRecords": {"ResourceRecord": {"Value": value}}})
}

fn change(region: &mut Region, batch: &[(&str, Value)]) -> Result<Value, (String, String)> {
    let list: Vec<Value> = batch
        .iter()
        .map(|(action, record)| json!({"Action": action, "ResourceRecordSet": record}))
        .collect();
    let args = json!({"zone": "Z1", "ChangeBatch": {"Changes": {"Change": list}}});
    changes::change(region, Args(&args)).map_err(|error| (error.code, error.message))
}

fn names(region: &mut Region) -> Vec<String> {
    let listed = records::list(region, Args(&json!({"zone": "Z1"}))).unwrap();
    let sets = listed["ResourceRecordSets"]["$ResourceRecordSet"].as_array().unwrap();
    sets.iter()
        .map(|set| format!("{} {}", set["Name"].as_str().unwrap(), set["Type"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_batch_is_carried_out_as_a_whole_or_not_at_all() {
    let mut region = region();
    let before = names(&mut region);
    let (code, message) = change(
        &mut region,
        &[
            ("CREATE", record("a.example.org", "1")),
            ("DELETE", record("b.example.org", "1")),
        ],
    )
    .unwrap_err();
    assert_eq!(code, "InvalidChangeBatch");
    assert_eq!(
        message,
        "[Tried to delete resource record set [name='b.example.org.', type='TXT'] but it was not found]"
    );
    assert_eq!(names(&mut region), before);
    change(&mut region, &[("CREATE", record("a.example.org", "1"))]).unwrap();
    let (_, message) = change(&mut region, &[("CREATE", record("A.example.org.", "2"))]).unwrap_err();
    assert_eq!(
        message,
        "[Tried to create resource record set [name='a.example.org.', type='TXT'] but it already exists]"
    );
    change(&mut region, &[("UPSERT", record("a.example.org", "2"))]).unwrap();
    let (_, message) = change(&mut region, &[("DELETE", record("a.example.org", "1"))]).unwrap_err();
    assert!(message.contains("do not match the current values"), "{message}");
    change(&mut region, &[("DELETE", record("a.example.org", "2"))]).unwrap();
    assert_eq!(names(&mut region), before);
}

#[test]
fn what_does_not_belong_into_a_zone_is_refused() {
    let mut region = region();
    for (bad, code) in [
        (record("example.net", "1"), "InvalidChangeBatch"),
        (
            json!({"Name": "app.example.org", "Type": "CNAME", "TTL": "60", "ResourceRecords": {"ResourceRecord": {"Value": "x"}}}),
            "InvalidChangeBatch",
        ),
        (
            json!({"Name": "x.example.org", "Type": "A", "TTL": "60"}),
            "InvalidInput",
        ),
    ] {
        assert_eq!(change(&mut region, &[("UPSERT", bad)]).unwrap_err().0, code);
    }
}

#[test]
fn a_change_is_everywhere_after_a_while() {
    let mut region = region();
    let info = change(&mut region, &[("UPSERT", record("a.example.org", "1"))]).unwrap()["ChangeInfo"].clone();
    assert_eq!(info["Status"], "PENDING");
    let args = json!({"id": info["Id"].as_str().unwrap().rsplit('/').next().unwrap()});
    region.now_ms = INSYNC_MS;
    assert_eq!(
        changes::get(&mut region, Args(&args)).unwrap()["ChangeInfo"]["Status"],
        "INSYNC"
    );
    assert_eq!(
        changes::get(&mut region, Args(&json!({"id": "C0"}))).unwrap_err().code,
        "NoSuchChange"
    );
}

#[test]
fn names_are_in_the_order_of_their_last_labels() {
    let mut region = region();
    change(
        &mut region,
        &[
            ("CREATE", record("z.a.example.org", "1")),
            ("CREATE", record("b.example.org", "1")),
        ],
    )
    .unwrap();
    let names = names(&mut region);
    assert_eq!(
        names,
        [
            "example.org. NS",
            "example.org. SOA",
            "z.a.example.org. TXT",
            "app.example.org. A",
            "b.example.org. TXT"
        ]
    );
    let page = records::list(&mut region, Args(&json!({"zone": "Z1", "maxitems": "2"}))).unwrap();
    assert_eq!(
        (&page["IsTruncated"], &page["NextRecordName"]),
        (&json!(true), &json!("z.a.example.org."))
    );
}
