"""What stands around a service and is switched, saved or judged, walked through with an unmodified boto3: rules, mappings, zones, databases, search domains,
instances, buckets, and what an account's posture is read from.

Part of aws.py, which starts it and counts its checks.
"""

import time

from aws_operations import PLACE, seed


def rules(walk):
    seed(walk, rule=[{"name": f"cron-{number}", "schedule": "rate(1 minute)"} for number in range(3)] + [{"name": "own", "managed_by": "codepipeline.amazonaws.com"}])
    events = walk.client("events")
    first = events.list_rules(NamePrefix="cron-", Limit=2)
    rest = events.list_rules(NamePrefix="cron-", NextToken=first["NextToken"])
    walk.equal("rules in pages", [len(first["Rules"]), len(rest["Rules"])], [2, 1])
    events.disable_rule(Name="cron-1")
    events.disable_rule(Name="cron-1")
    walk.equal("a rule is off", events.describe_rule(Name="cron-1")["State"], "DISABLED")
    events.enable_rule(Name="cron-1")
    walk.equal("and on", events.describe_rule(Name="cron-1")["State"], "ENABLED")
    walk.refused("a rule that is none", "ResourceNotFoundException", events.disable_rule, Name="none")
    error = walk.refused("a rule of a service's own", "ManagedRuleException", events.disable_rule, Name="own")
    walk.check("with its class", isinstance(error, events.exceptions.ManagedRuleException))


def base_paths(walk):
    seed(walk, api=[{"id": "blue1", "stages": ["prod"]}, {"id": "green1", "stages": ["prod"]}],
         base_path=[{"domain": "api.example.org", "api": "blue1", "stage": "prod"}, {"domain": "api.example.org", "path": "v1", "api": "blue1", "stage": "prod"}])
    first = walk.client("apigateway")
    place = {"domainName": "api.example.org", "basePath": "(none)"}
    walk.equal("where a domain leads", first.get_base_path_mapping(**place)["restApiId"], "blue1")
    patch = [{"op": "replace", "path": "/restapiId", "value": "green1"}, {"op": "replace", "path": "/stage", "value": "prod"}]
    walk.equal("it is switched", first.update_base_path_mapping(**place, patchOperations=patch)["restApiId"], "green1")
    walk.refused("a patch that removes", "BadRequestException", first.update_base_path_mapping, **place, patchOperations=[{"op": "remove", "path": "/stage"}])
    walk.refused("an API that is none", "BadRequestException", first.update_base_path_mapping, **place,
                 patchOperations=[{"op": "replace", "path": "/restapiId", "value": "none"}])
    error = walk.refused("a domain that is none", "NotFoundException", first.get_base_path_mapping, domainName="none.example.org", basePath="(none)")
    walk.check("with its class", isinstance(error, first.exceptions.NotFoundException))
    walk.equal("all of a domain", [one["basePath"] for one in first.get_base_path_mappings(domainName="api.example.org", limit=500)["items"]], ["(none)", "v1"])
    second = walk.client("apigatewayv2")
    walk.equal("APIs by name", sorted(one["id"] for one in first.get_rest_apis(limit=500)["items"] if one["name"] in ("blue1", "green1")), ["blue1", "green1"])
    walk.check("in both versions", {"blue1", "green1"} <= {one["ApiId"] for one in second.get_apis()["Items"]})
    found = second.get_api_mappings(DomainName="api.example.org")["Items"]
    walk.equal("both versions see them", [(one["ApiMappingKey"], one["ApiId"]) for one in found], [("", "green1"), ("v1", "blue1")])
    back = {"DomainName": "api.example.org", "ApiMappingId": found[0]["ApiMappingId"], "ApiId": "blue1", "Stage": "prod"}
    one = second.get_api_mapping(DomainName="api.example.org", ApiMappingId=found[1]["ApiMappingId"])
    walk.equal("one of them", (one["ApiMappingKey"], one["ApiId"], one["Stage"]), ("v1", "blue1", "prod"))
    walk.equal("and switch them", second.update_api_mapping(**back)["ApiId"], "blue1")
    walk.equal("as the other sees", first.get_base_path_mapping(**place)["restApiId"], "blue1")
    walk.refused("a mapping that is none", "NotFoundException", second.update_api_mapping, **{**back, "ApiMappingId": "none"})


def zones(walk):
    seed(walk, zone=[{"name": "example.org", "id": "Z0EXAMPLE", "record": [{"name": "app.example.org", "type": "A", "alias": "blue.cloudfront.net"}]}, {"name": "zz.org"}])
    client = walk.client("route53")
    zone = client.list_hosted_zones_by_name(DNSName="example.org.")["HostedZones"][0]
    walk.equal("a zone by name", (zone["Name"], zone["Id"]), ("example.org.", "/hostedzone/Z0EXAMPLE"))
    walk.equal("the next one when there is none", client.list_hosted_zones_by_name(DNSName="f.org")["HostedZones"][0]["Name"], "zz.org.")

    def change(*changes):
        return client.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Comment": "walk", "Changes": list(changes)})["ChangeInfo"]

    def text(action, value, name="a.example.org"):
        return {"Action": action, "ResourceRecordSet": {"Name": name, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": f'"{value}"'}]}}

    info = change(text("CREATE", "x & <y>"))
    walk.equal("a change is on its way", info["Status"], "PENDING")
    for what, changes in [("a record twice", [text("CREATE", "2")]), ("a delete of other values", [text("DELETE", "2")]),
                          ("a batch with one that is wrong", [text("UPSERT", "2"), text("DELETE", "1", "none.example.org")])]:
        error = walk.refused(what, "InvalidChangeBatch", change_all(client, zone["Id"]), changes=changes)
        walk.check("with its class", isinstance(error, client.exceptions.InvalidChangeBatch))
    walk.jump(60)
    walk.equal("and everywhere a while later", client.get_change(Id=info["Id"])["ChangeInfo"]["Status"], "INSYNC")
    sets = client.list_resource_record_sets(HostedZoneId="Z0EXAMPLE")["ResourceRecordSets"]
    found = next(one for one in sets if one["Name"] == "a.example.org.")
    walk.equal("the batch changed nothing", found["ResourceRecords"], [{"Value": '"x & <y>"'}])
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId="Z0EXAMPLE", PaginationConfig={"PageSize": 1})
    walk.equal("records in pages", [one["Type"] for page in pages for one in page["ResourceRecordSets"]], ["NS", "SOA", "TXT", "A"])
    alias = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "green.cloudfront.net", "EvaluateTargetHealth": False}
    change({"Action": "UPSERT", "ResourceRecordSet": {"Name": "app.example.org", "Type": "A", "AliasTarget": alias}})
    sets = client.list_resource_record_sets(HostedZoneId="Z0EXAMPLE", StartRecordName="app.example.org", StartRecordType="A", MaxItems="1")
    walk.equal("an alias is switched", sets["ResourceRecordSets"][0]["AliasTarget"]["DNSName"], "green.cloudfront.net.")
    walk.refused("a zone that is none", "NoSuchHostedZone", client.list_resource_record_sets, HostedZoneId="Z0NONE")
    walk.refused("a change that is none", "NoSuchChange", client.get_change, Id="C0NONE")
    walk.control("aws/deed", {"route53": {"busy": {"times": 1}}})
    walk.refused("a change while another is not finished", "PriorRequestNotComplete", change_all(client, zone["Id"]), changes=[text("UPSERT", "3")])


def change_all(client, zone):
    return lambda changes: client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def databases(walk):
    seed(walk, database=[{"id": "main", "snapshots_hours_ago": [3, 27]}, {"id": "aurora", "cluster": True, "public": True}])
    rds = walk.client("rds")
    found = rds.describe_db_instances(DBInstanceIdentifier="main")["DBInstances"][0]
    walk.equal("an instance", (found["DBInstanceStatus"], found["PubliclyAccessible"]), ("available", False))
    taken = rds.create_db_snapshot(DBSnapshotIdentifier="before-42", DBInstanceIdentifier="main", Tags=[{"Key": "by", "Value": "walk"}])["DBSnapshot"]
    walk.equal("a snapshot is being taken", taken["Status"], "creating")
    error = walk.refused("a second one meanwhile", "InvalidDBInstanceState", rds.create_db_snapshot, DBSnapshotIdentifier="b", DBInstanceIdentifier="main")
    walk.check("with its class", isinstance(error, rds.exceptions.InvalidDBInstanceStateFault))
    walk.refused("the same again", "DBSnapshotAlreadyExists", rds.create_db_snapshot, DBSnapshotIdentifier="before-42", DBInstanceIdentifier="main")
    walk.refused("a restore too early", "InvalidDBSnapshotState", rds.restore_db_instance_from_db_snapshot, DBInstanceIdentifier="drill", DBSnapshotIdentifier="before-42")
    walk.jump(60)
    during = rds.describe_db_snapshots(DBSnapshotIdentifier="before-42")["DBSnapshots"][0]
    walk.check("it makes progress", during["Status"] == "creating" and 40 <= during["PercentProgress"] <= 60, during)
    walk.jump(120)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before-42", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    all_of_them = rds.describe_db_snapshots(DBInstanceIdentifier="main")["DBSnapshots"]
    walk.equal("snapshots of an instance", sorted(one["SnapshotType"] for one in all_of_them), ["automated", "automated", "manual"])
    walk.check("taken at an instant", all(one["SnapshotCreateTime"].tzinfo for one in all_of_them))
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="drill", DBSnapshotIdentifier="before-42", Tags=[{"Key": "by", "Value": "walk"}])
    walk.equal("with its tags", rds.describe_db_instances(DBInstanceIdentifier="drill")["DBInstances"][0]["TagList"], [{"Key": "by", "Value": "walk"}])
    walk.equal("a restore takes a while", rds.describe_db_instances(DBInstanceIdentifier="drill")["DBInstances"][0]["DBInstanceStatus"], "creating")
    walk.jump(600)
    walk.equal("until it is there", rds.describe_db_instances(DBInstanceIdentifier="drill")["DBInstances"][0]["DBInstanceStatus"], "available")
    walk.refused("an instance that is none", "DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="none")
    walk.refused("a snapshot that is none", "DBSnapshotNotFound", rds.describe_db_snapshots, DBSnapshotIdentifier="none")
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="c1", DBClusterIdentifier="aurora")
    walk.jump(300)
    walk.equal("a cluster's snapshot", rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="c1")["DBClusterSnapshots"][0]["Status"], "available")
    rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="aurora-2", SnapshotIdentifier="c1", Engine="aurora-mysql")
    walk.equal("clusters", [one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]], ["aurora", "aurora-2"])
    walk.refused("a cluster that is none", "DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="none")


def search(walk):
    seed(walk, search=[{"name": "search-alpha", "indices": {"efcms-case": 100}}, {"name": "search-beta"}])
    walk.control("aws/deed", {"opensearch": {"reindex": {"domain": "search-beta", "index": "efcms-case", "until": 100, "per_second": 5}}})
    signed = {"authorization": "Basic eDp5"}

    def get(path):
        return walk.request("/opensearch/" + path, headers=signed)

    walk.jump(10)
    half = get("search-beta/efcms-case/_count")[2]["count"]
    walk.check("a reindex makes progress", 50 <= half < 100, half)
    walk.equal("and is a task", len(get("search-beta/_tasks?actions=*reindex")[2]["nodes"]), 1)
    walk.jump(60)
    walk.equal("until both have the same", [get(f"search-{name}/efcms-case/_count")[2]["count"] for name in ("alpha", "beta")], [100, 100])
    walk.equal("and no task is left", get("search-beta/_tasks?actions=*reindex")[2], {"nodes": {}})
    walk.equal("health", get("search-beta/_cluster/health")[2]["status"], "green")
    walk.equal("an index that is none", get("search-beta/none/_count")[0], 404)
    walk.equal("a question that nobody signed", walk.request("/opensearch/search-beta/_count")[0], 403)
    walk.control("faults", {"target": "opensearch.count", "kind": "throttle", "retry_after": 1, "times": 1})
    walk.equal("a domain that is overloaded", get("search-beta/_count")[0], 429)


def instances(walk):
    seed(walk, instance=[{"id": "i-0123456789abcdef0", "next": [{"output": "migrated\n"}, {"status": "Failed", "code": 2, "error": "no table"}]}])
    ssm = walk.client("ssm")
    send = {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-0123456789abcdef0"], "Parameters": {"commands": ["make migrate"]}}
    for status, code in [("Success", 0), ("Failed", 2)]:
        command = ssm.send_command(**send)["Command"]["CommandId"]
        asked = {"CommandId": command, "InstanceId": "i-0123456789abcdef0"}
        if status == "Success":
            error = walk.refused("a command just sent", "InvocationDoesNotExist", ssm.get_command_invocation, **asked)
            walk.check("with its class", isinstance(error, ssm.exceptions.InvocationDoesNotExist))
        walk.jump(2)
        walk.equal("a command runs", ssm.get_command_invocation(**asked)["Status"], "InProgress")
        walk.jump(5)
        found = ssm.get_command_invocation(**asked)
        walk.equal(f"and ends with {status}", (found["Status"], found["ResponseCode"]), (status, code))
    listed = ssm.list_commands(CommandId=command)["Commands"][0]
    walk.equal("a command as a whole", (listed["Status"], listed["ErrorCount"]), ("Failed", 1))
    one = ssm.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"][0]
    walk.equal("and on its instance", one["CommandPlugins"][0]["Output"], "no table")
    walk.equal("commands of a document", len(ssm.list_commands(Filters=[{"key": "DocumentName", "value": send["DocumentName"]}])["Commands"]), 2)
    walk.refused("an instance that is none", "InvalidInstanceId", ssm.send_command, **{**send, "InstanceIds": ["i-0000000000000000f"]})


def posture(walk):
    seed(walk, security_group=[{"id": "sg-1", "name": "db", "vpc": "vpc-1", "ingress": [{"from": 3306, "to": 3306, "cidrs": ["0.0.0.0/0", "::/0"]}]}],
         user=["old-deployer"], certificate=[{"id": "c1", "domain": "example.org", "status": "PENDING_VALIDATION"}],
         repository=[{"name": "balrog", "image": [{"digest": "sha256:" + "a" * 64, "tags": ["v2.11", "latest"], "hours_ago": 5}]}])
    ec2 = walk.client("ec2")
    group = ec2.describe_security_groups(GroupIds=["sg-1"])["SecurityGroups"][0]
    rule = group["IpPermissions"][0]
    walk.equal("an open port", (rule["FromPort"], rule["IpRanges"][0]["CidrIp"], rule["Ipv6Ranges"][0]["CidrIpv6"]), (3306, "0.0.0.0/0", "::/0"))
    by_name = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["db"]}])["SecurityGroups"]
    walk.equal("groups by name", [one["GroupId"] for one in by_name], ["sg-1"])
    walk.refused("a group that is none", "InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=["sg-none"])
    iam = walk.client("iam")
    walk.equal("a user", iam.get_user(UserName="old-deployer")["User"]["Arn"], "arn:aws:iam::111122223333:user/old-deployer")
    walk.equal("oneself", iam.get_user()["User"]["UserName"], "signalbox")
    error = walk.refused("a user that is none", "NoSuchEntity", iam.get_user, UserName="nobody")
    walk.check("with its class", isinstance(error, iam.exceptions.NoSuchEntityException))
    acm = walk.client("acm")
    found = acm.describe_certificate(CertificateArn=PLACE.format("acm", "certificate/c1"))["Certificate"]
    walk.equal("a certificate", (found["Status"], found["DomainValidationOptions"][0]["ResourceRecord"]["Type"]), ("PENDING_VALIDATION", "CNAME"))
    walk.refused("a certificate that is none", "ResourceNotFoundException", acm.describe_certificate, CertificateArn=PLACE.format("acm", "certificate/none"))
    ecr = walk.client("ecr")
    image = ecr.describe_images(repositoryName="balrog", imageIds=[{"imageTag": "v2.11"}])["imageDetails"][0]
    walk.check("an image by its tag", "latest" in image["imageTags"] and image["imagePushedAt"].tzinfo is not None, image)
    error = walk.refused("an image that is none", "ImageNotFoundException", ecr.describe_images, repositoryName="balrog", imageIds=[{"imageTag": "v9"}])
    walk.check("with its class", isinstance(error, ecr.exceptions.ImageNotFoundException))
    walk.refused("a repository that is none", "RepositoryNotFoundException", ecr.describe_images, repositoryName="none")


def buckets(walk):
    names = [{"key": f"backups/SITE/2026-11-{day:02}.sql.lrz", "size": 10_000_000, "hours_ago": 24 * day} for day in range(1, 6)]
    seed(walk, bucket=[{"name": "backups", "object": [*names, {"key": "a b+ü.txt", "body": "x"}]}, {"name": "many", "fill": 1500}, {"name": "open", "public_access_block": False}])
    s3 = walk.client("s3")
    listed = s3.list_objects_v2(Bucket="backups", Prefix="backups/")
    walk.equal("objects by prefix", (listed["KeyCount"], listed["Contents"][0]["Size"]), (5, 10_000_000))
    walk.check("since an instant", listed["Contents"][0]["LastModified"].tzinfo is not None)
    folders = s3.list_objects_v2(Bucket="backups", Delimiter="/")
    walk.equal("folders", ([one["Prefix"] for one in folders["CommonPrefixes"]], [one["Key"] for one in folders["Contents"]]), (["backups/"], ["a b+ü.txt"]))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="many")
    walk.equal("a list in pages", [page["KeyCount"] for page in pages], [1000, 500])
    walk.check("a bucket without versions", "Status" not in s3.get_bucket_versioning(Bucket="many"))
    rule = s3.get_bucket_encryption(Bucket="backups")["ServerSideEncryptionConfiguration"]["Rules"][0]
    walk.equal("encryption", rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
    walk.equal("an open bucket", s3.get_public_access_block(Bucket="open")["PublicAccessBlockConfiguration"]["BlockPublicAcls"], False)
    walk.control("aws/deed", {"s3": {"block": {"bucket": "open"}}})
    walk.refused("a bucket of which nobody has said", "NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket="open")
    walk.refused("a bucket that is not empty", "BucketNotEmpty", s3.delete_bucket, Bucket="backups")
    keys = [{"Key": one["Key"]} for one in s3.list_objects_v2(Bucket="backups")["Contents"]]
    walk.equal("objects are deleted", len(s3.delete_objects(Bucket="backups", Delete={"Objects": keys})["Deleted"]), 6)
    s3.delete_bucket(Bucket="backups")
    walk.refused("a bucket that is gone", "NoSuchBucket", s3.list_objects_v2, Bucket="backups")
    s3.head_bucket(Bucket="open")


def planted(walk):
    """What --aws-seed has planted, when the sandbox was started with it."""
    codebuild, sqs = walk.client("codebuild", region="us-east-1"), walk.client("sqs", region="us-east-1")
    if not codebuild.batch_get_projects(names=["ef-cms-deploy-migration"])["projects"]:
        return
    tables = {region: walk.client("dynamodb", region=region).list_tables()["TableNames"] for region in ("us-east-1", "us-west-1")}
    walk.equal("a table in both regions", [region for region in tables if "efcms-stg-alpha" in tables[region]], ["us-east-1", "us-west-1"])
    codebuild.start_build(projectName="ef-cms-deploy-migration", sourceVersion="staging")
    sha = walk.control("github/commit", {"repository": "acme/ef-cms", "message": "Too late for this build", "author": "ann"})["sha"]
    walk.jump(200)
    [migration] = codebuild.list_builds_for_project(projectName="ef-cms-deploy-migration")["ids"]
    built = codebuild.batch_get_builds(ids=[migration])["builds"][0]["resolvedSourceVersion"]
    parent = walk.request("/github/repos/acme/ef-cms/commits/" + sha)[2]["parents"][0]["sha"]
    walk.equal("a build is of the branch's head at its start", built, parent)
    url = sqs.get_queue_url(QueueName="migration_segments_queue_stg")["QueueUrl"]
    codebuild.start_build(projectName="ef-cms-start-migration", sourceVersion="staging")
    walk.jump(120)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    walk.check("a migration makes progress", 0 < int(counts[names[0]]) < 375 and counts[names[1]] == "25", counts)
    walk.control("aws/deed", {"region": "us-east-1", "sqs": {"fail": {"queue": "migration_segments_queue_stg", "count": 3}}})
    dead = sqs.get_queue_url(QueueName="migration_segments_dl_queue_stg")["QueueUrl"]
    walk.equal("its failures are dead letters", sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=names[:1])["Attributes"][names[0]], "3")
    answer = walk.client("lambda", region="us-east-1").invoke(FunctionName="send_maintenance_notifications_stg_blue", Payload=b'{"maintenanceMode": true}')
    key = {"pk": {"S": "maintenance-mode"}, "sk": {"S": "maintenance-mode"}}
    item = walk.client("dynamodb", region="us-east-1").get_item(TableName="efcms-deploy-stg", Key=key, ConsistentRead=True)["Item"]
    walk.equal("maintenance is on", (answer["StatusCode"], item["current"]), (200, {"BOOL": True}))


PARTS = [rules, base_paths, zones, databases, search, instances, posture, buckets, planted]


def everything(walk):
    for part in PARTS:
        started = time.monotonic()
        part(walk)
        print(f"     {part.__name__} took {time.monotonic() - started:.1f} s")
