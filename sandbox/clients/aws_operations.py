"""What operations on services need of AWS, walked through with an unmodified boto3: functions, parameters, tables, queues, builds, logs and metrics.

Part of aws.py, which starts it and counts its checks.
"""

import base64
import json
import time
import uuid

PLACE = "arn:aws:{}:eu-central-1:111122223333:{}"


def seed(walk, **resources):
    walk.control("aws/deed", {"seed": resources})


def functions(walk):
    names = [{"name": f"many-{number:02}"} for number in range(60)]
    seed(walk, function=[{"name": "api", "variables": {"LOG_LEVEL": "info", "DB": "s3cret"}}, *names])
    client = walk.client("lambda")
    found = [one["FunctionName"] for page in client.get_paginator("list_functions").paginate() for one in page["Functions"]]
    walk.check("functions in pages", len(found) == 61 and "api" in found, len(found))
    before = client.get_function_configuration(FunctionName="api")
    variables = {**before["Environment"]["Variables"], "LOG_LEVEL": "debug"}
    change = {"FunctionName": "api", "Environment": {"Variables": variables}, "RevisionId": before["RevisionId"]}
    during = client.update_function_configuration(**change)
    walk.equal("an update is under way", during["LastUpdateStatus"], "InProgress")
    error = walk.refused("a second update", "ResourceConflictException", client.update_function_configuration, FunctionName="api", Timeout=5)
    walk.equal("with status 409", error.response["ResponseMetadata"]["HTTPStatusCode"], 409)
    walk.jump(5)
    walk.equal("and done a while later", client.get_function_configuration(FunctionName="api")["LastUpdateStatus"], "Successful")
    client.get_waiter("function_updated_v2").wait(FunctionName="api", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    error = walk.refused("an old revision", "PreconditionFailedException", client.update_function_configuration, **change)
    walk.check("with its class", isinstance(error, client.exceptions.PreconditionFailedException))
    walk.refused("a function that is none", "ResourceNotFoundException", client.get_function_configuration, FunctionName="none")
    arn = PLACE.format("lambda", "function:api")
    walk.equal("a function by its ARN", client.get_function_configuration(FunctionName=arn)["Environment"]["Variables"]["DB"], "s3cret")
    walk.refused("a reserved variable", "InvalidParameterValueException", client.update_function_configuration, FunctionName="api",
                 Environment={"Variables": {"AWS_REGION": "x"}})
    walk.control("aws/deed", {"lambda": {"kms": {"function": "api", "error": "no key"}}})
    walk.check("unreadable variables are not shown", "Variables" not in client.get_function_configuration(FunctionName="api")["Environment"])
    _, _, log = walk.request("/control/log?since=0")
    walk.check("no variable is in the log", "s3cret" not in json.dumps(log))


def invocations(walk):
    client = walk.client("lambda")
    put = {"dynamodb": {"put": {"table": "flags", "item": {"pk": {"S": "maintenance"}, "sk": {"S": "maintenance"}, "current": {"BOOL": True}}}}}
    reactions = [{"when": {"maintenanceMode": True}, "answer": {"done": 1}, "deeds": [put]}, {"error": "no such mode", "lines": ["looking for the mode", "x" * 5000]}]
    seed(walk, table=[{"name": "flags"}], function=[{"name": "notify", "reactions": reactions}])
    answer = client.invoke(FunctionName="notify", Payload=json.dumps({"maintenanceMode": True}).encode())
    walk.equal("a function answers", (answer["StatusCode"], json.loads(answer["Payload"].read())), (200, {"done": 1}))
    item = walk.client("dynamodb").get_item(TableName="flags", Key={"pk": {"S": "maintenance"}, "sk": {"S": "maintenance"}})["Item"]
    walk.equal("and has done something", item["current"], {"BOOL": True})
    answer = client.invoke(FunctionName="notify", Payload=b"{}")
    walk.equal("a function that fails is a call that succeeds", (answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
    walk.check("whoever does not ask for its log gets none", "LogResult" not in answer)
    log = base64.b64decode(client.invoke(FunctionName="notify", LogType="Tail", Payload=b"{}")["LogResult"])
    walk.check("the last 4 KB of its log", len(log) == 4096 and b"no such mode" in log and b"looking" not in log)
    walk.equal("an event is taken", client.invoke(FunctionName="notify", InvocationType="Event", Payload=b"{}")["StatusCode"], 202)
    walk.refused("a payload that is no JSON", "InvalidRequestContentException", client.invoke, FunctionName="notify", Payload=b"{")
    lines = walk.client("logs").filter_log_events(logGroupName="/aws/lambda/notify", filterPattern="ERROR")["events"]
    walk.equal("failures are in its log", len(lines), 3)


def mappings(walk):
    client = walk.client("lambda")
    seed(walk, table=[{"name": "cases", "stream": True}], event_source=[{"function": "api", "source": "table:cases"}])
    found = client.list_event_source_mappings(FunctionName="api")["EventSourceMappings"]
    stream = walk.client("dynamodb").describe_table(TableName="cases")["Table"]["LatestStreamArn"]
    walk.equal("a stream's mapping", [(one["EventSourceArn"], one["State"]) for one in found], [(stream, "Enabled")])
    mapping = found[0]["UUID"]
    walk.equal("it is on its way off", client.update_event_source_mapping(UUID=mapping, Enabled=False)["State"], "Disabling")
    error = walk.refused("a second switch", "ResourceInUseException", client.update_event_source_mapping, UUID=mapping, Enabled=True)
    walk.check("with its class", isinstance(error, client.exceptions.ResourceInUseException))
    walk.jump(10)
    walk.equal("and off", client.get_event_source_mapping(UUID=mapping)["State"], "Disabled")
    client.update_event_source_mapping(UUID=mapping, Enabled=True)
    walk.jump(10)
    after = client.get_event_source_mapping(UUID=mapping)
    walk.check("and on again", after["State"] == "Enabled" and after["LastModified"].tzinfo is not None, after)
    walk.refused("a mapping that is none", "ResourceNotFoundException", client.get_event_source_mapping, UUID=str(uuid.UUID(int=0)))


def parameters(walk):
    ssm = walk.client("ssm")
    walk.equal("a parameter's first version", ssm.put_parameter(Name="/app/migrate", Value="true", Type="String")["Version"], 1)
    error = walk.refused("it again", "ParameterAlreadyExists", ssm.put_parameter, Name="/app/migrate", Value="false", Type="String")
    walk.check("with its class", isinstance(error, ssm.exceptions.ParameterAlreadyExists))
    walk.equal("overwritten", ssm.put_parameter(Name="/app/migrate", Value="false", Overwrite=True)["Version"], 2)
    found = ssm.get_parameter(Name="/app/migrate")["Parameter"]
    walk.equal("it is read", (found["Value"], found["Type"], found["Version"]), ("false", "String", 2))
    walk.check("since an instant", found["LastModifiedDate"].tzinfo is not None)
    several = ssm.get_parameters(Names=["/app/migrate", "/app/none"])
    walk.equal("several", ([one["Name"] for one in several["Parameters"]], several["InvalidParameters"]), (["/app/migrate"], ["/app/none"]))
    ssm.put_parameter(Name="key", Value="s3cret-parameter", Type="SecureString")
    walk.check("a secure one is hidden", ssm.get_parameter(Name="key")["Parameter"]["Value"] != "s3cret-parameter")
    walk.equal("unless asked", ssm.get_parameter(Name="key", WithDecryption=True)["Parameter"]["Value"], "s3cret-parameter")
    _, _, log = walk.request("/control/log?since=0")
    walk.check("and not in the log", "s3cret-parameter" not in json.dumps(log))
    ssm.delete_parameter(Name="/app/migrate")
    error = walk.refused("a deleted parameter", "ParameterNotFound", ssm.get_parameter, Name="/app/migrate")
    walk.check("with its class", isinstance(error, ssm.exceptions.ParameterNotFound))
    seed(walk, secret=[{"name": "app/db", "text": "{\"password\": \"x\"}"}, {"name": "app/old", "text": "x", "deleted": True}])
    secrets = walk.client("secretsmanager")
    found = secrets.get_secret_value(SecretId="app/db")
    walk.equal("a secret", (json.loads(found["SecretString"]), found["VersionStages"]), ({"password": "x"}, ["AWSCURRENT"]))
    walk.equal("by its ARN", secrets.get_secret_value(SecretId=found["ARN"])["Name"], "app/db")
    walk.refused("a secret that is none", "ResourceNotFoundException", secrets.get_secret_value, SecretId="none")
    walk.refused("a secret on its way out", "InvalidRequestException", secrets.get_secret_value, SecretId="app/old")


def tables(walk):
    client = walk.client("dynamodb")
    key = {"pk": {"S": "current-color"}, "sk": {"S": "current-color"}}
    seed(walk, table=[{"name": "deploy", "item": [{**key, "current": {"S": "blue"}}]}, {"name": "data", "fill": 25, "item_count": 7}])
    names = {"#current": "current"}
    swap = {"TableName": "deploy", "Key": key, "UpdateExpression": "SET #current = :new", "ConditionExpression": "#current = :old",
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": {":new": {"S": "green"}, ":old": {"S": "blue"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD", "ReturnValues": "UPDATED_NEW"}
    walk.equal("compare and set", client.update_item(**swap)["Attributes"], {"current": {"S": "green"}})
    error = walk.refused("only once", "ConditionalCheckFailedException", client.update_item, **swap)
    walk.equal("the item is in the error", error.response.get("Item", {}).get("current"), {"S": "green"})
    walk.check("with its class", isinstance(error, client.exceptions.ConditionalCheckFailedException))
    walk.refused("a reserved word", "ValidationException", client.update_item, TableName="deploy", Key=key, UpdateExpression="SET current = :a",
                 ExpressionAttributeValues={":a": {"S": "x"}})
    walk.refused("a key that is none", "ValidationException", client.get_item, TableName="deploy", Key={"pk": {"S": "x"}})
    walk.equal("what is not there", "Item" in client.get_item(TableName="deploy", Key={**key, "sk": {"S": "x"}}, ConsistentRead=True), False)
    walk.refused("a table that is none", "ResourceNotFoundException", client.get_item, TableName="none", Key=key)
    pages = client.get_paginator("scan").paginate(TableName="data", PaginationConfig={"PageSize": 10})
    walk.equal("a scan in pages", [len(page["Items"]) for page in pages], [10, 10, 5])
    walk.equal("its count is old", client.describe_table(TableName="data")["Table"]["ItemCount"], 7)
    walk.equal("a scan that counts", client.scan(TableName="data", Select="COUNT", FilterExpression="begins_with(pk, :p)",
                                                 ExpressionAttributeValues={":p": {"S": "item-0000001"}})["Count"], 10)
    found = client.query(TableName="data", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "item-00000003"}})
    walk.equal("a query", (found["Count"], found["Items"][0]["sk"]), (1, {"S": "item-00000003"}))
    client.batch_write_item(RequestItems={"data": [{"DeleteRequest": {"Key": found["Items"][0]}}, {"PutRequest": {"Item": {**key, "raw": {"B": b"\1\2"}}}}]})
    walk.equal("bytes stay bytes", client.get_item(TableName="data", Key=key)["Item"]["raw"], {"B": b"\1\2"})
    deleted = client.delete_item(TableName="data", Key=key, ReturnValues="ALL_OLD", ConditionExpression="attribute_exists(pk)")
    walk.equal("what was deleted", deleted["Attributes"]["pk"], key["pk"])
    client.put_item(TableName="data", Item={**key, "n": {"N": "1.50"}, "s": {"NS": ["2", "1"]}}, ConditionExpression="attribute_not_exists(pk)")
    walk.refused("a put over what is there", "ConditionalCheckFailedException", client.put_item, TableName="data", Item=key,
                 ConditionExpression="attribute_not_exists(pk)")
    client.create_table(TableName="new", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}], StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    walk.refused("a table twice", "ResourceInUseException", client.create_table, TableName="new", BillingMode="PAY_PER_REQUEST",
                 AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}], KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}])
    walk.equal("a table takes a while", client.describe_table(TableName="new")["Table"]["TableStatus"], "CREATING")
    walk.jump(10)
    client.get_waiter("table_exists").wait(TableName="new", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2})
    walk.check("tables in pages", {"deploy", "data", "new"} <= {name for page in pages for name in page["TableNames"]})
    client.delete_table(TableName="new")
    walk.jump(10)
    walk.refused("a table that is gone", "ResourceNotFoundException", client.describe_table, TableName="new")
    elsewhere = walk.client("dynamodb", region="ap-south-1")
    walk.equal("another region has its own", elsewhere.list_tables()["TableNames"], [])


def queues(walk):
    sqs = walk.client("sqs")
    seed(walk, queue=[{"name": "work", "dead_letters": "work-dead", "max_receives": 2, "visibility_seconds": 900, "messages": 1000}, {"name": "work-dead"}])
    urls = sqs.list_queues(QueueNamePrefix="work")["QueueUrls"]
    walk.equal("queues by prefix", [url.rsplit("/")[-1] for url in urls], ["work", "work-dead"])
    work, dead = urls
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]

    def counts(url):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return [int(found[name]) for name in names]

    walk.control("aws/deed", {"sqs": {"drain": {"queue": "work", "per_second": 50, "in_flight": 20, "fail": 3}}})
    walk.jump(10)
    left = sum(counts(work))
    walk.check("a drained queue makes progress", 0 < left <= 500, left)
    walk.equal("and holds messages in flight", counts(work)[1], 20)
    walk.jump(60)
    walk.equal("until it is empty", (counts(work), counts(dead)), ([0, 0, 0], [3, 0, 0]))
    source = PLACE.format("sqs", "work-dead")
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"])
    walk.equal("a queue names its dead-letter queue", policy["deadLetterTargetArn"], source)
    walk.control("aws/deed", {"sqs": {"drain": {"queue": "work", "per_second": 0}}})
    walk.refused("a move from a queue of no dead letters", "InvalidParameterValue", sqs.start_message_move_task, SourceArn=PLACE.format("sqs", "work"))
    walk.refused("a move from nowhere", "ResourceNotFoundException", sqs.start_message_move_task, SourceArn=PLACE.format("sqs", "none"))
    handle = sqs.start_message_move_task(SourceArn=source, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    walk.refused("a second move", "InvalidParameterValue", sqs.start_message_move_task, SourceArn=source)
    walk.jump(1)
    task = sqs.list_message_move_tasks(SourceArn=source)["Results"][0]
    walk.check("a move makes progress", task["Status"] == "RUNNING" and 0 < task["ApproximateNumberOfMessagesMoved"] < 3, task)
    sqs.cancel_message_move_task(TaskHandle=handle)
    walk.jump(2)
    walk.equal("until it is told to stop", sqs.list_message_move_tasks(SourceArn=source)["Results"][0]["Status"], "CANCELLED")
    sqs.start_message_move_task(SourceArn=source)
    walk.jump(5)
    walk.equal("or done", (sqs.list_message_move_tasks(SourceArn=source)["Results"][0]["Status"], counts(work)[0]), ("COMPLETED", 3))
    sqs.purge_queue(QueueUrl=work)
    error = walk.refused("a purge within a minute", "AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=work)
    walk.check("with its class", isinstance(error, sqs.exceptions.PurgeQueueInProgress))


def builds(walk):
    client = walk.client("codebuild")
    plan = {"seconds": 100, "lines": ["Deploying ${COLOR}", "done"], "exported": {"URL": "https://${COLOR}.example.org"},
            "effects": [{"seed": {"table": [{"name": "made-by-${COLOR}"}]}}]}
    seed(walk, project=[{"name": "infra", "repository": "https://github.com/acme/infra", "variables": {"COLOR": "blue"}, "commits": {"staging": "c" * 40}, "plan": plan}])
    start = {"projectName": "infra", "sourceVersion": "staging", "idempotencyToken": "once",
             "environmentVariablesOverride": [{"name": "COLOR", "value": "green", "type": "PLAINTEXT"}]}
    build = client.start_build(**start)["build"]
    walk.equal("a start with the same token is one start", client.start_build(**start)["build"]["id"], build["id"])
    walk.refused("the token for another start", "InvalidInputException", client.start_build, **{**start, "sourceVersion": "x"})
    walk.refused("a project that is none", "ResourceNotFoundException", client.start_build, projectName="none")
    walk.jump(50)
    during = client.batch_get_builds(ids=[build["id"], "infra:none"])
    walk.equal("a build that is none", during["buildsNotFound"], ["infra:none"])
    during = during["builds"][0]
    walk.equal("it builds a commit", (during["currentPhase"], during["buildStatus"], during["resolvedSourceVersion"]), ("BUILD", "IN_PROGRESS", "c" * 40))
    walk.jump(60)
    after = client.batch_get_builds(ids=[build["id"]])["builds"][0]
    walk.equal("it succeeds", (after["buildStatus"], after["buildComplete"], after["phases"][-1]["phaseType"]), ("SUCCEEDED", True, "COMPLETED"))
    walk.equal("it exports", after["exportedEnvironmentVariables"], [{"name": "URL", "value": "https://green.example.org"}])
    walk.check("it has changed the account", "made-by-green" in walk.client("dynamodb").list_tables()["TableNames"])
    lines = walk.client("logs").get_log_events(logGroupName=after["logs"]["groupName"], logStreamName=after["logs"]["streamName"], startFromHead=True)
    walk.equal("it has written its log", [one["message"] for one in lines["events"]], ["Deploying green", "done"])
    walk.control("aws/deed", {"codebuild": {"next": {"project": "infra", "plan": {"outcome": "FAILED", "message": "exit status 2", "lines": ["Error: no such bucket"], "seconds": 10}}}})
    failing = client.start_build(projectName="infra")["build"]["id"]
    walk.jump(20)
    failed = client.batch_get_builds(ids=[failing])["builds"][0]
    reasons = [context["message"] for phase in failed["phases"] for context in phase.get("contexts", []) if context["message"]]
    walk.equal("a build fails and says that a command did", (failed["buildStatus"], reasons), ("FAILED", ["exit status 2"]))
    lines = walk.client("logs").get_log_events(logGroupName=failed["logs"]["groupName"], logStreamName=failed["logs"]["streamName"])["events"]
    walk.check("why stands in its log", "no such bucket" in lines[0]["message"] and "Phase complete: BUILD State: FAILED" in lines[1]["message"])
    third = client.start_build(projectName="infra")["build"]["id"]
    walk.equal("a build is stopped", client.stop_build(id=third)["build"]["buildStatus"], "STOPPED")
    walk.equal("builds, newest first", client.list_builds_for_project(projectName="infra")["ids"], [third, failing, build["id"]])
    found = client.batch_get_projects(names=["infra", "none"])
    walk.equal("projects", ([one["name"] for one in found["projects"]], found["projectsNotFound"]), (["infra"], ["none"]))


def logs(walk):
    client = walk.client("logs")
    lines = [f"line {number}" for number in range(25)] + ['{"level": "error", "status": 503}', "[INFO] GET /"]
    walk.control("aws/deed", [{"logs": {"append": {"group": "app", "stream": "s1", "lines": lines}}},
                              {"logs": {"append": {"group": "app", "stream": "s2", "lines": ["ERROR one"], "seconds_ago": 3600}}}])
    pages = client.get_paginator("filter_log_events").paginate(logGroupName="app", filterPattern="line", PaginationConfig={"PageSize": 10})
    walk.equal("lines in pages", [len(page["events"]) for page in pages], [10, 10, 5])
    for pattern, count in [("ERROR", 1), ("{ $.status >= 500 }", 1), ("\"[INFO] GET\"", 1), ("?ERROR ?INFO", 2), ("line -7", 23)]:
        walk.equal(f"the pattern {pattern}", len(client.filter_log_events(logGroupName="app", filterPattern=pattern)["events"]), count)
    walk.refused("a pattern that is none", "InvalidParameterException", client.filter_log_events, logGroupName="app", filterPattern="{ $.a = }")
    walk.refused("a group that is none", "ResourceNotFoundException", client.filter_log_events, logGroupName="none")
    hour_ago = client.filter_log_events(logGroupName="app", filterPattern="ERROR")["events"][0]["timestamp"]
    walk.equal("lines since an instant", client.filter_log_events(logGroupName="app", filterPattern="ERROR", startTime=hour_ago + 1)["events"], [])
    streams = client.describe_log_streams(logGroupName="app", orderBy="LastEventTime", descending=True)["logStreams"]
    walk.equal("streams, newest first", [one["logStreamName"] for one in streams], ["s1", "s2"])
    walk.equal("groups by prefix", [one["logGroupName"] for one in client.describe_log_groups(logGroupNamePrefix="app")["logGroups"]], ["app"])
    newest = client.get_log_events(logGroupName="app", logStreamName="s1", limit=2)
    walk.equal("a stream's newest lines", newest["events"][-1]["message"], "[INFO] GET /")
    again = client.get_log_events(logGroupName="app", logStreamName="s1", nextToken=newest["nextForwardToken"])
    walk.equal("at the end the token stays", (again["events"], again["nextForwardToken"]), ([], newest["nextForwardToken"]))
    seen, token = [], newest["nextBackwardToken"]
    while True:
        page = client.get_log_events(logGroupName="app", logStreamName="s1", limit=10, nextToken=token)
        seen = [one["message"] for one in page["events"]] + seen
        if page["nextBackwardToken"] == token:
            break
        token = page["nextBackwardToken"]
    walk.equal("backward to its beginning", seen, lines[:-2])
    walk.refused("a token that is none", "InvalidParameterException", client.get_log_events, logGroupName="app", logStreamName="s1", nextToken="x")
    walk.refused("a stream that is none", "ResourceNotFoundException", client.get_log_events, logGroupName="app", logStreamName="none")
    walk.control("aws/deed", {"logs": {"empty_pages": {"group": "app", "pages": 1}}})
    empty = client.get_log_events(logGroupName="app", logStreamName="s1")
    walk.equal("a page may be empty and lead on", (empty["events"], len(client.get_log_events(logGroupName="app", logStreamName="s1", nextToken=empty["nextBackwardToken"])["events"])), ([], 27))


def metrics(walk):
    client = walk.client("cloudwatch")
    _, _, state = walk.request("/control/state")
    now = state["now_ms"] / 1000
    for name, value in [("Errors", 3), ("Invocations", 5)]:
        measured = {"namespace": "AWS/Lambda", "name": name, "dimensions": {"FunctionName": "segments"}, "value": value, "minutes_ago": 14}
        walk.control("aws/deed", {"metrics": {"steady": measured}})

    def query(name):
        metric = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": [{"Name": "FunctionName", "Value": "segments"}]}
        return {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}

    found = client.get_metric_data(MetricDataQueries=[query("Errors"), query("Invocations")], StartTime=now - 900, EndTime=now + 60)
    sums = {one["Id"]: sum(one["Values"]) for one in found["MetricDataResults"]}
    walk.equal("errors of 15 minutes", sums, {"errors": 45, "invocations": 75})
    walk.check("newest first", found["MetricDataResults"][0]["Timestamps"] == sorted(found["MetricDataResults"][0]["Timestamps"], reverse=True))
    none = client.get_metric_data(MetricDataQueries=[query("Throttles")], StartTime=now - 900, EndTime=now)
    walk.equal("what nobody measured is no zero", none["MetricDataResults"][0]["Values"], [])
    statistics = client.get_metric_statistics(Namespace="AWS/Lambda", MetricName="Errors", Dimensions=[{"Name": "FunctionName", "Value": "segments"}],
                                              StartTime=now - 300, EndTime=now, Period=300, Statistics=["Sum", "Maximum"])["Datapoints"]
    walk.check("statistics", statistics and all(one["Maximum"] == 3 for one in statistics), statistics)


def lost_answers(walk):
    """Each service under the one fault script: the work is done and the answer lost, or not done at all."""
    from botocore.exceptions import ClientError, ConnectionClosedError

    sqs, client = walk.client("sqs"), walk.client("lambda")
    walk.control("faults", {"target": "aws.UpdateEventSourceMapping", "kind": "lose_answer", "times": 1})
    mapping = client.list_event_source_mappings(FunctionName="api")["EventSourceMappings"][0]["UUID"]
    try:
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
        walk.check("a lost answer", False)
    except ConnectionClosedError:
        walk.equal("a lost answer is done all the same", client.get_event_source_mapping(UUID=mapping)["State"], "Disabling")
    for service, operation, call, code in [
        ("lambda", "ListFunctions", client.list_functions, "TooManyRequestsException"),
        ("sqs", "ListQueues", sqs.list_queues, "ThrottlingException"),
        ("codebuild", "BatchGetBuilds", lambda: walk.client("codebuild").batch_get_builds(ids=["x"]), "ThrottlingException"),
    ]:
        walk.control("faults", {"target": f"aws.{operation}", "kind": "throttle", "retry_after": 1, "times": 1})
        try:
            call()
            walk.check(f"{service} is throttled", False)
        except ClientError as error:
            walk.equal(f"{service} is throttled", error.response["Error"]["Code"], code)
    status, _, answer = walk.request("/control/aws/deed", {"sqs": {"typo": {}}}, method="POST")
    walk.check("a deed that is none is refused", status == 400 and "unknown variant `typo`" in answer["message"], answer)
    walk.equal("a deed to nothing too", walk.request("/control/aws/deed", {"sqs": {"clear": {"queue": "none"}}}, method="POST")[0], 404)


PARTS = [functions, invocations, mappings, parameters, tables, queues, builds, logs, metrics, lost_answers]


def everything(walk):
    for part in PARTS:
        started = time.monotonic()
        part(walk)
        print(f"     {part.__name__} took {time.monotonic() - started:.1f} s")
