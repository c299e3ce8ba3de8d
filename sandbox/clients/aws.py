#!/usr/bin/env python3
"""An unmodified boto3 against the sandbox: every operation that it offers, and the errors a client must tell apart.

    sandbox/clients/aws.py --start target/debug/signalbox-sandbox    starts one on a free port and stops it again
    sandbox/clients/aws.py --url http://127.0.0.1:8700               uses one that runs (it is left in another state)

boto3 is installed into a virtual environment in the user's cache. Only its endpoint and its keys are set. Exits with 1 when a check fails.
"""

import argparse
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
import zipfile

import aws_operations
import aws_resources

REQUIREMENT = "boto3==1.44.5"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "signalbox", "venv")
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "aws")
SEED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "seeds", "ef-cms.toml")
ANN = "arn:aws:sts::444455556666:assumed-role/signalbox/slack-U0ANN"


def in_environment():
    """Goes on inside the virtual environment, making it when it is not there."""
    python = os.path.join(CACHE, "bin", "python")
    if os.path.abspath(sys.prefix) != os.path.abspath(CACHE):
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])
    try:
        import importlib.metadata

        found = f"boto3=={importlib.metadata.version('boto3')}"
    except importlib.metadata.PackageNotFoundError:
        found = ""
    if found != REQUIREMENT:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT], check=True)


class Walk:
    """One walk: the clients, the controls, and what was checked."""

    def __init__(self, url):
        self.url = url
        self.checked = 0
        self.failed = []
        self.operations = set()
        self.models = {}

    def client(self, service, credentials=None, attempts=1, region="eu-central-1"):
        import boto3
        from botocore.config import Config

        keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test", "SessionToken": None}
        client = boto3.client(
            service,
            endpoint_url=self.url + "/aws",
            region_name=region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
        )
        client.meta.events.register("before-call.*", lambda model, **_: self.operations.add(model.name))
        self.models[service] = set(client.meta.service_model.operation_names)
        return client

    def check(self, what, good, shown=""):
        self.checked += 1
        print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else f': {shown}'}")
        if not good:
            self.failed.append(what)

    def equal(self, what, left, right):
        self.check(what, left == right, f"{left!r} is not {right!r}")

    def refused(self, what, code, call, **arguments):
        """The call must fail with this error; modeled errors must also have their own class."""
        from botocore.exceptions import ClientError

        try:
            answer = call(**arguments)
        except ClientError as error:
            self.equal(f"{what} is refused with {code}", error.response["Error"]["Code"], code)
            return error
        self.check(f"{what} is refused with {code}", False, answer)
        return None

    def request(self, path, body=None, headers=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), json.loads(error.read() or b"{}")

    def control(self, path, body):
        status, _, answer = self.request("/control/" + path, body, {"content-type": "application/json"})
        if status != 200:
            raise RuntimeError(f"control {path} {body}: {status} {answer}")
        return answer

    def jump(self, seconds):
        self.control("clock/jump", {"seconds": seconds})


class Pipeline:
    """A pipeline seen through a client."""

    def __init__(self, client, name):
        self.client = client
        self.name = name

    def stage(self, name):
        state = self.client.get_pipeline_state(name=self.name)
        return next(stage for stage in state["stageStates"] if stage["stageName"] == name)

    def approval(self):
        return self.stage("Approve")["actionStates"][0].get("latestExecution", {})

    def status(self, execution):
        found = self.client.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution)
        return found["pipelineExecution"]["status"]

    def actions(self, execution):
        only = {"pipelineExecutionId": execution}
        return self.client.list_action_executions(pipelineName=self.name, filter=only)["actionExecutionDetails"]

    def answer(self, token, status="Approved", summary="walk", **other):
        place = {"pipelineName": self.name, "stageName": "Approve", "actionName": "Approval", **other}
        return self.client.put_approval_result(token=token, result={"status": status, "summary": summary}, **place)


def definitions(walk, client):
    pages = client.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 2})
    modes = {one["name"]: one["executionMode"] for page in pages for one in page["pipelines"]}
    walk.equal("three pipelines in pages of two", modes, {"wallet-service": "SUPERSEDED", "web-app": "PARALLEL", "web-staging": "QUEUED"})
    found = client.get_pipeline(name="wallet-service")
    stages = found["pipeline"]["stages"]
    walk.equal("the stages of wallet-service", [stage["name"] for stage in stages], ["Source", "Build", "Approve", "Deploy"])
    walk.equal("its approval", stages[2]["actions"][0]["actionTypeId"]["category"], "Approval")
    walk.equal("its ARN", found["metadata"]["pipelineArn"], "arn:aws:codepipeline:eu-central-1:111122223333:wallet-service")
    walk.refused("GetPipeline of nothing", "PipelineNotFoundException", client.get_pipeline, name="nothing")
    walk.refused("an old version", "PipelineVersionNotFoundException", client.get_pipeline, name="web-app", version=99)
    walk.refused("a page token of nobody's", "InvalidNextTokenException", client.list_pipelines, nextToken="zz")
    walk.refused("a name with a slash", "ValidationException", client.get_pipeline_state, name="a/b")


def approval(walk, client):
    wallet = Pipeline(client, "wallet-service")
    walk.jump(5)
    waiting = wallet.approval()
    token = waiting.get("token", "")
    walk.equal("a run waits for approval", (waiting.get("status"), len(token)), ("InProgress", 36))
    walk.check("since an instant", waiting["lastStatusChange"].tzinfo is not None)
    execution = wallet.stage("Approve")["latestExecution"]["pipelineExecutionId"]
    put = wallet.answer
    for what, code, arguments in [
        ("another pipeline", "PipelineNotFoundException", {"pipelineName": "nothing"}),
        ("another stage", "StageNotFoundException", {"stageName": "Nothing"}),
        ("another action", "ActionNotFoundException", {"actionName": "Nothing"}),
        ("a reason of 513 characters", "ValidationException", {"summary": "x" * 513}),
        ("a status that is none", "ValidationException", {"status": "Maybe"}),
    ]:
        error = walk.refused(f"PutApprovalResult with {what}", code, put, token=token, **arguments)
        if code != "ValidationException":
            walk.check(f"{code} has its class", isinstance(error, getattr(client.exceptions, code)))
    walk.refused("a token that never was", "InvalidApprovalTokenException", put, token=str(uuid.uuid4()))
    walk.refused("a token that is no UUID", "ValidationException", put, token="x")
    walk.equal("none of these used the token up", wallet.approval()["token"], token)
    walk.check("the approval is accepted", put(token=token, summary="é ok")["approvedAt"].year > 2000)
    error = walk.refused("a second answer", "ApprovalAlreadyCompletedException", put, token=token)
    walk.check("with its class", isinstance(error, client.exceptions.ApprovalAlreadyCompletedException))
    walk.equal("the reason is shown", wallet.approval()["summary"], "é ok")
    walk.jump(30)
    walk.equal("the run succeeds", wallet.status(execution), "Succeeded")
    return execution


def history(walk, client, execution):
    wallet = Pipeline(client, "wallet-service")
    pages = client.get_paginator("list_pipeline_executions").paginate(pipelineName=wallet.name, PaginationConfig={"PageSize": 1})
    ids = [one["pipelineExecutionId"] for page in pages for one in page["pipelineExecutionSummaries"]]
    walk.check("executions in pages, newest first", ids[0] == execution and len(ids) == len(set(ids)) == 3, ids)
    filter = {"succeededInStage": {"stageName": "Deploy"}}
    done = client.list_pipeline_executions(pipelineName=wallet.name, filter=filter)["pipelineExecutionSummaries"]
    walk.equal("those that passed a stage", len(done), 3)
    walk.equal("what it shipped", done[0]["sourceRevisions"][0]["revisionSummary"].split()[0], "retry")
    walk.equal("who started it", done[0]["trigger"]["triggerDetail"], "arn:aws:iam::111122223333:user/dana")
    walk.refused("a stage that is none", "StageNotFoundException", client.list_pipeline_executions, pipelineName=wallet.name,
                 filter={"succeededInStage": {"stageName": "Nothing"}})
    actions = wallet.actions(execution)
    walk.equal("its actions, newest first", [one["actionName"] for one in actions], ["Deploy", "Approval", "Build", "Source"])
    walk.equal("the reason in the list", actions[1]["output"]["executionResult"]["externalExecutionSummary"], "é ok")
    walk.check("what the source tells later actions", "VersionId" in actions[3]["output"]["outputVariables"], actions[3]["output"])
    newest = {"latestInPipelineExecution": {"pipelineExecutionId": execution, "startTimeRange": "Latest"}}
    walk.equal("the latest of each", len(client.list_action_executions(pipelineName=wallet.name, filter=newest)["actionExecutionDetails"]), 4)
    found = client.get_pipeline_execution(pipelineName=wallet.name, pipelineExecutionId=execution)["pipelineExecution"]
    version = found["artifactRevisions"][0]["revisionId"]
    nobody = str(uuid.uuid4())
    error = walk.refused("an execution that never was", "PipelineExecutionNotFoundException", client.get_pipeline_execution,
                         pipelineName=wallet.name, pipelineExecutionId=nobody)
    walk.check("with its class", isinstance(error, client.exceptions.PipelineExecutionNotFoundException))
    walk.refused("an id that is no UUID", "ValidationException", client.get_pipeline_execution, pipelineName=wallet.name, pipelineExecutionId="1")
    return version


def objects(walk, version):
    s3 = walk.client("s3")
    place = {"Bucket": "wallet-releases", "Key": "wallet-service.zip"}
    head = s3.head_object(**place, VersionId=version)
    walk.equal("the object names its tag", head["Metadata"].get("git-ref"), "v1.4.2")
    walk.equal("and its commit", len(head["Metadata"].get("git-commit", "")), 40)
    walk.equal("and its version", head["VersionId"], version)
    archive = zipfile.ZipFile(io.BytesIO(s3.get_object(**place)["Body"].read()))
    walk.equal("it is an archive", (archive.testzip(), archive.read("git_ref_to_deploy")), (None, b"v1.4.2"))
    walk.refused("a version that is none", "404", s3.head_object, **place, VersionId="none")
    walk.refused("another key", "NoSuchKey", s3.get_object, Bucket="wallet-releases", Key="nothing")
    walk.refused("another bucket", "NoSuchBucket", s3.get_object, Bucket="nothing", Key="nothing")
    pushed = walk.control("aws/push", {"pipeline": "wallet-service", "git_ref": "v9.9.9", "message": "by hand", "metadata": False})
    walk.equal("an object without metadata tells nothing", s3.head_object(**place)["Metadata"], {})
    client = walk.client("codepipeline")
    client.stop_pipeline_execution(pipelineName="wallet-service", pipelineExecutionId=pushed["execution"], abandon=True)


def roles(walk):
    sts = walk.client("sts")
    walk.equal("the keys are a user's", sts.get_caller_identity()["Arn"], "arn:aws:iam::111122223333:user/signalbox")
    role = "arn:aws:iam::444455556666:role/signalbox"
    good = {"RoleArn": role, "RoleSessionName": "slack-U0ANN", "ExternalId": "wallet-7", "SourceIdentity": "slack-U0ANN", "DurationSeconds": 900}
    walk.refused("a role without its external id", "AccessDenied", sts.assume_role, RoleArn=role, RoleSessionName="s1")
    walk.refused("a role that is none", "AccessDenied", sts.assume_role, **{**good, "RoleArn": role + "x"})
    walk.refused("a session name with a blank", "ValidationError", sts.assume_role, **{**good, "RoleSessionName": "a b"})
    walk.refused("a session of two hours", "ValidationError", sts.assume_role, **{**good, "DurationSeconds": 7200})
    assumed = sts.assume_role(**good, Tags=[{"Key": "slack_user", "Value": "U0ANN"}])
    walk.equal("the session", assumed["AssumedRoleUser"]["Arn"], ANN)
    walk.equal("its source identity", assumed["SourceIdentity"], "slack-U0ANN")
    keys = assumed["Credentials"]
    walk.equal("calls are the session's", walk.client("sts", keys).get_caller_identity()["Arn"], ANN)
    forged = {**keys, "SessionToken": "forged"}
    walk.refused("a forged session token", "InvalidClientTokenId", walk.client("sts", forged).get_caller_identity)
    return keys


def attribution(walk, keys):
    client = walk.client("codepipeline", keys)
    wallet = Pipeline(client, "wallet-service")
    walk.control("aws/push", {"pipeline": "wallet-service", "git_ref": "master", "message": "for the role", "files": ["a.ts"]})
    walk.jump(5)
    wallet.answer(wallet.approval()["token"], "Rejected", "no")
    shown = wallet.approval()
    walk.equal("a rejection is the session's", (shown["status"], shown["lastUpdatedBy"]), ("Failed", ANN))
    walk.control("aws/expire_sessions", {})
    walk.refused("an expired session", "ExpiredTokenException", client.list_pipelines)


def retries(walk, client):
    wallet = Pipeline(client, "wallet-service")
    execution = wallet.stage("Approve")["latestExecution"]["pipelineExecutionId"]
    again = {"pipelineName": wallet.name, "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS"}
    walk.refused("a retry of a stage that did not fail", "StageNotRetryableException", client.retry_stage_execution, stageName="Build", **again)
    walk.refused("a retry of a stage that is none", "StageNotFoundException", client.retry_stage_execution, stageName="Nothing", **again)
    answer = client.retry_stage_execution(stageName="Approve", **again)
    walk.equal("a retry is the same execution", answer["pipelineExecutionId"], execution)
    first = wallet.approval()["token"]
    wallet.answer(first, "Rejected", "still no")
    client.retry_stage_execution(stageName="Approve", **again)
    second = wallet.approval()["token"]
    walk.check("each request has a token of its own", first != second)
    walk.refused("the token of an older request", "InvalidApprovalTokenException", wallet.answer, token=first)
    walk.control("aws/fail", {"pipeline": wallet.name, "stage": "Deploy", "message": "exit status 1"})
    wallet.answer(second)
    walk.jump(30)
    failed = wallet.stage("Deploy")["actionStates"][0]["latestExecution"]
    walk.equal("a deploy that fails", (failed["status"], failed["errorDetails"]["message"]), ("Failed", "exit status 1"))
    walk.check("has a link to its log", failed["externalExecutionUrl"].startswith("https://eu-central-1.console.aws.amazon.com/"))
    client.retry_stage_execution(stageName="Deploy", **{**again, "retryMode": "ALL_ACTIONS"})
    walk.jump(30)
    walk.equal("and succeeds when tried again", wallet.status(execution), "Succeeded")
    newer = client.start_pipeline_execution(name=wallet.name)["pipelineExecutionId"]
    walk.control("aws/fail", {"pipeline": wallet.name, "stage": "Build"})
    walk.jump(3)
    walk.control("aws/start", {"pipeline": wallet.name})
    walk.jump(3)
    walk.refused("a retry behind a newer run", "NotLatestPipelineExecutionException", client.retry_stage_execution, stageName="Build",
                 **{**again, "pipelineExecutionId": newer})


def doors_and_stops(walk, client):
    wallet = Pipeline(client, "wallet-service")
    inside = wallet.stage("Approve")["latestExecution"]["pipelineExecutionId"]
    door = {"pipelineName": wallet.name, "stageName": "Deploy", "transitionType": "Inbound"}
    for bad in ["see https://example.org", "a,b", "it's", "größer"]:
        walk.refused(f"the reason {bad!r}", "ValidationException", client.disable_stage_transition, reason=bad, **door)
    walk.refused("a door of no stage", "StageNotFoundException", client.enable_stage_transition, **{**door, "stageName": "Nothing"})
    client.disable_stage_transition(reason="Frozen by ann - back Monday", **door)
    wallet.answer(wallet.approval()["token"])
    closed = wallet.stage("Deploy")
    walk.equal("a closed door", closed["inboundTransitionState"]["disabledReason"], "Frozen by ann - back Monday")
    walk.equal("keeps the run out", closed["inboundExecution"]["pipelineExecutionId"], inside)
    client.enable_stage_transition(**door)
    walk.equal("until it is opened", wallet.stage("Deploy")["latestExecution"]["pipelineExecutionId"], inside)
    stop = {"pipelineName": wallet.name, "pipelineExecutionId": inside}
    client.stop_pipeline_execution(reason="wrong one", **stop)
    walk.equal("a stop waits for the action", wallet.status(inside), "Stopping")
    walk.refused("a second stop", "DuplicatedStopRequestException", client.stop_pipeline_execution, **stop)
    client.stop_pipeline_execution(abandon=True, **stop)
    walk.equal("an abandoned run stops at once", wallet.status(inside), "Stopped")
    walk.refused("a stop of what has ended", "PipelineExecutionNotStoppableException", client.stop_pipeline_execution, **stop)


def modes(walk, client):
    wallet = Pipeline(client, "wallet-service")
    ids = []
    for number in range(3):
        pushed = walk.control("aws/push", {"pipeline": "wallet-service", "git_ref": "master", "message": f"number {number}"})
        ids.append(pushed["execution"])
        walk.jump(5)
    walk.equal("the run inside stays, the waiting one is superseded", [wallet.status(one) for one in ids], ["InProgress", "Superseded", "InProgress"])
    walk.equal("the newest waits at the door", wallet.stage("Approve")["inboundExecution"]["pipelineExecutionId"], ids[2])
    staging = Pipeline(client, "web-staging")
    queue = [client.start_pipeline_execution(name="web-staging")["pipelineExecutionId"] for _ in range(3)]
    walk.jump(60)
    inbound = [one["pipelineExecutionId"] for one in staging.stage("Approve")["inboundExecutions"]]
    walk.equal("queued runs wait in line", inbound, queue[1:])
    web = Pipeline(client, "web-app")
    runs = [walk.control("aws/push", {"pipeline": "web-app", "message": f"page {number}"})["execution"] for number in range(2)]
    walk.jump(5)
    walk.check("PARALLEL shows no token in the state", "token" not in web.approval(), web.approval())
    tokens = []
    for run in runs:
        waiting = next(one for one in web.actions(run) if one["actionName"] == "Approval")
        tokens.append(waiting["output"]["executionResult"]["externalExecutionId"])
    walk.check("but in the list of actions, one each", len(set(tokens)) == 2)
    web.answer(tokens[1])
    web.answer(tokens[0], "Rejected", "no")
    walk.jump(60)
    walk.equal("each run has its own answer", [web.status(run) for run in runs], ["Failed", "Succeeded"])
    revision = client.get_pipeline_execution(pipelineName="web-app", pipelineExecutionId=runs[1])["pipelineExecution"]["artifactRevisions"][0]
    walk.equal("a connection's summary is JSON", json.loads(revision["revisionSummary"]), {"ProviderType": "GitHub", "CommitMessage": "page 1"})
    token = wallet.approval()["token"]
    walk.jump(8 * 24 * 3600)
    walk.equal("a request that nobody answers expires", wallet.status(ids[0]), "Failed")
    walk.refused("its token", "InvalidApprovalTokenException", wallet.answer, token=token)
    request = str(uuid.uuid4())
    starts = {client.start_pipeline_execution(name="web-app", clientRequestToken=request)["pipelineExecutionId"] for _ in range(2)}
    walk.equal("a start with the same request token is one start", len(starts), 1)
    wanted = [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": revision["revisionId"]}]
    chosen = client.start_pipeline_execution(name="web-app", sourceRevisions=wanted)["pipelineExecutionId"]
    walk.jump(2)
    found = client.get_pipeline_execution(pipelineName="web-app", pipelineExecutionId=chosen)["pipelineExecution"]
    walk.equal("a start of a chosen commit", found["artifactRevisions"][0]["revisionId"], revision["revisionId"])
    walk.refused("a start of a pipeline that is none", "PipelineNotFoundException", client.start_pipeline_execution, name="nothing")


def controls(walk, client):
    """What people do in the console, seen through the API."""
    staging = Pipeline(client, "web-staging")
    place = {"pipeline": "web-staging"}
    for one in client.list_pipeline_executions(pipelineName="web-staging")["pipelineExecutionSummaries"]:
        if one["status"] == "InProgress":
            walk.control("aws/stop", {**place, "execution": one["pipelineExecutionId"], "abandon": True, "reason": "tidy"})
    run = walk.control("aws/start", {**place, "user": "ann"})["execution"]
    walk.control("aws/hold", {**place, "stage": "Build", "held": True})
    walk.jump(3600)
    build = staging.stage("Build")["actionStates"][0]["latestExecution"]
    walk.equal("a held stage goes on", build["status"], "InProgress")
    walk.control("aws/hold", {**place, "stage": "Build", "held": False})
    walk.equal("until it is let go", staging.approval()["status"], "InProgress")
    walk.equal("an approval runs out on request", walk.control("aws/expire", place)["execution"], run)
    walk.equal("and its run fails", staging.status(run), "Failed")
    walk.control("aws/retry", {**place, "stage": "Approve", "execution": run})
    walk.control("aws/decide", {**place, "status": "Approved", "user": "carla", "summary": "by phone"})
    walk.equal("the console decides in a person's name", staging.approval()["lastUpdatedBy"], "arn:aws:iam::111122223333:user/carla")
    walk.control("aws/duration", {**place, "stage": "Deploy", "seconds": 0})
    walk.equal("a stage of no length", staging.status(run), "Succeeded")
    walk.control("aws/transition", {**place, "stage": "Build", "enabled": False, "reason": "Closed"})
    walk.equal("a door is closed", staging.stage("Build")["inboundTransitionState"]["enabled"], False)
    walk.control("aws/transition", {**place, "stage": "Build", "enabled": True})
    walk.control("aws/alarm", {"name": "a-new-one", "state": "ALARM"})
    found = walk.client("cloudwatch").describe_alarms(AlarmNames=["a-new-one"])["MetricAlarms"]
    walk.equal("an alarm is made", [one["StateValue"] for one in found], ["ALARM"])
    for path, body, code in [
        ("expire", place, 409),
        ("decide", {**place, "status": "Maybe"}, 400),
        ("fail", {**place, "stage": "Nothing"}, 404),
        ("push", {"pipeline": "nothing"}, 404),
        ("push", {**place, "typo": 1}, 400),
    ]:
        walk.equal(f"{path} {body} is refused", walk.request("/control/aws/" + path, body, method="POST")[0], code)


def alarms(walk):
    cloudwatch = walk.client("cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2})
    names = [one["AlarmName"] for page in pages for one in page["MetricAlarms"]]
    walk.check("alarms in pages", len(names) == 5 and names == sorted(names), names)
    wallet = cloudwatch.describe_alarms(AlarmNamePrefix="wallet-service-mainnet")["MetricAlarms"]
    walk.equal("by prefix", [one["StateValue"] for one in wallet], ["OK", "OK"])
    cloudwatch.set_alarm_state(AlarmName=names[0], StateValue="ALARM", StateReason="5 errors")
    ringing = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    walk.equal("by state", [(one["AlarmName"], one["StateReason"]) for one in ringing], [(names[0], "5 errors")])
    walk.check("since an instant", ringing[0]["StateUpdatedTimestamp"].tzinfo is not None)
    walk.equal("by name", len(cloudwatch.describe_alarms(AlarmNames=[names[1], "nothing"])["MetricAlarms"]), 1)
    walk.equal("composite alarms: none", cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"], [])
    error = walk.refused("an alarm that is none", "ResourceNotFound", cloudwatch.set_alarm_state, AlarmName="nothing", StateValue="OK", StateReason="")
    walk.check("with its class", isinstance(error, cloudwatch.exceptions.ResourceNotFound))
    walk.refused("a page token of nobody's", "InvalidNextToken", cloudwatch.describe_alarms, NextToken="zz")
    walk.refused("a state that is none", "ValidationException", cloudwatch.set_alarm_state, AlarmName=names[0], StateValue="RED", StateReason="")
    # Older clients send the same calls as JSON or as a form.
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20261121/eu-central-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"}
    as_json = {**headers, "content-type": "application/x-amz-json-1.0", "x-amz-target": "GraniteServiceVersion20100801.DescribeAlarms"}
    status, _, answer = walk.request("/aws", {"StateValue": "ALARM"}, as_json)
    walk.equal("the same as JSON", (status, answer["MetricAlarms"][0]["AlarmName"]), (200, names[0]))
    form = {**headers, "content-type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(walk.url + "/aws/", b"Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=" + names[0].encode(), form)
    text = urllib.request.urlopen(request).read().decode()
    walk.check("the same as a form", f"<AlarmName>{names[0]}</AlarmName>" in text, text[:200])
    as_json["x-amz-target"] = "CodePipeline_20150709.GetPipelineState"
    status, _, answer = walk.request("/aws/", {"name": "nothing"}, as_json)
    walk.equal("an error as JSON", (status, answer["__type"]), (400, "PipelineNotFoundException"))
    status, _, answer = walk.request("/aws/", {}, {"content-type": "application/x-amz-json-1.1", "x-amz-target": "CodePipeline_20150709.ListPipelines"})
    walk.equal("a request that nobody signed", (status, answer["__type"]), (403, "MissingAuthenticationTokenException"))


def queues(walk):
    sqs = walk.client("sqs")
    url = sqs.get_queue_url(QueueName="signalbox-events")["QueueUrl"]
    seen = {}
    while True:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            break
        for message in messages:
            event = json.loads(message["Body"])
            seen.setdefault(event["detail-type"].split()[1], event)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    walk.equal("events of pipelines, stages and actions", sorted(seen), ["Action", "Pipeline", "Stage"])
    event = seen["Action"]
    walk.equal("in EventBridge's shape", (event["source"], event["account"], event["region"]), ("aws.codepipeline", "111122223333", "eu-central-1"))
    walk.check("without a token", '"token"' not in json.dumps(seen))
    walk.control("aws/duplicate_events", {"copies": 1})
    walk.control("aws/push", {"pipeline": "web-app", "message": "twice"})
    twice = [json.loads(one["Body"])["id"] for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]]
    walk.check("each event twice when asked for", len(twice) >= 2 and twice[0] == twice[1], twice)
    walk.control("aws/duplicate_events", {"copies": 0})
    mine = sqs.create_queue(QueueName="walk", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=mine, MessageBody="hello")
    first = sqs.receive_message(QueueUrl=mine, MessageSystemAttributeNames=["All"])["Messages"][0]
    walk.equal("a message comes back", (first["Body"], first["MessageId"]), ("hello", sent["MessageId"]))
    walk.check("and hides", "Messages" not in sqs.receive_message(QueueUrl=mine))
    counts = sqs.get_queue_attributes(QueueUrl=mine, AttributeNames=["All"])["Attributes"]
    walk.equal("it is counted", (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]), ("0", "1"))
    sqs.change_message_visibility(QueueUrl=mine, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    second = sqs.receive_message(QueueUrl=mine, MessageSystemAttributeNames=["All"], WaitTimeSeconds=1)["Messages"][0]
    walk.equal("it comes again", second["Attributes"]["ApproximateReceiveCount"], "2")
    sqs.delete_message_batch(QueueUrl=mine, Entries=[{"Id": "1", "ReceiptHandle": second["ReceiptHandle"]}])
    walk.jump(120)
    walk.check("deleted is deleted", "Messages" not in sqs.receive_message(QueueUrl=mine))
    error = walk.refused("a queue that is none", "AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="nothing")
    walk.check("with its class", isinstance(error, sqs.exceptions.QueueDoesNotExist))
    walk.refused("a handle that is none", "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=mine, ReceiptHandle="x")
    walk.refused("a wait of 21 seconds", "InvalidParameterValue", sqs.receive_message, QueueUrl=mine, WaitTimeSeconds=21)


def faults(walk, client):
    from botocore.exceptions import ConnectionClosedError

    def fault(kind, times=1, target="aws.ListPipelines", **other):
        walk.control("faults", {"target": target, "kind": kind, "times": times, **other})

    fault("throttle", retry_after=1)
    walk.refused("a throttled call", "ThrottlingException", client.list_pipelines)
    fault("throttle", retry_after=1)
    walk.check("which a client tries again", walk.client("codepipeline", attempts=3).list_pipelines()["pipelines"] != [])
    fault("fail")
    error = walk.refused("a broken service", "InternalFailure", client.list_pipelines)
    walk.equal("with status 500", error.response["ResponseMetadata"]["HTTPStatusCode"], 500)
    fault("refuse", error="AccessDeniedException")
    walk.refused("a missing permission", "AccessDeniedException", client.list_pipelines)
    fault("drop")
    try:
        client.list_pipelines()
        walk.check("a dropped connection", False, "there was an answer")
    except ConnectionClosedError:
        walk.check("a dropped connection", True)
    web = Pipeline(client, "web-app")
    run = walk.control("aws/push", {"pipeline": "web-app", "message": "lost"})["execution"]
    walk.jump(5)
    waiting = next(one for one in web.actions(run) if one["actionName"] == "Approval")
    token = waiting["output"]["executionResult"]["externalExecutionId"]
    fault("lose_answer", target="aws.PutApprovalResult")
    retrying = Pipeline(walk.client("codepipeline", attempts=3), "web-app")
    walk.refused("a lost answer, tried again by the client itself", "ApprovalAlreadyCompletedException", retrying.answer, token=token, summary="mine")
    mine = next(one for one in web.actions(run) if one["actionName"] == "Approval")
    walk.equal("though the decision was its own", mine["output"]["executionResult"]["externalExecutionSummary"], "mine")
    _, _, log = walk.request("/control/log?since=0")
    puts = [one for one in log["entries"] if one["call"] == "aws.PutApprovalResult"]
    walk.equal("the log tells both calls apart", [(one["status"], one["done"]) for one in puts[-2:]], [(0, True), (400, False)])
    walk.check("and holds no token", token not in json.dumps(log) and all(one["arguments"]["token"].startswith("sha256:") for one in puts if "token" in one["arguments"]))


def github(walk):
    base = "/github/repos/acme/wallet-service"
    status, headers, found = walk.request(base + "/compare/v1.4.1...v1.4.2")
    walk.equal("what v1.4.2 adds", (status, found["status"], found["ahead_by"], len(found["commits"])), (200, "ahead", 4, 4))
    walk.check("one migration among its files", sum(one["filename"].startswith("db/migrations/") for one in found["files"]) == 1)
    walk.equal("its authors", {one["commit"]["author"]["email"] for one in found["commits"]}, {"dana@example.org", "carla@example.org"})
    limits = {name.lower(): value for name, value in headers.items()}
    walk.check("limits are told", int(limits["x-ratelimit-remaining"]) < int(limits["x-ratelimit-limit"]), limits)
    status, headers, page = walk.request(base + "/compare/v1.4.1...v1.4.2?per_page=3")
    walk.check("in pages", len(page["commits"]) == 3 and 'rel="next"' in str(headers), headers)
    status, _, page = walk.request(base + "/compare/v1.4.1...v1.4.2?per_page=3&page=2")
    walk.equal("the second page", (len(page["commits"]), page["files"]), (1, []))
    head = found["commits"][-1]["sha"]
    walk.equal("a commit", walk.request(f"{base}/commits/{head[:7]}")[2]["sha"], head)
    walk.equal("a tag", walk.request(f"{base}/git/ref/tags/v1.4.2")[2]["object"]["sha"], head)
    walk.equal("an unknown ref", walk.request(f"{base}/compare/v1.4.1...nothing")[0], 404)
    walk.equal("an unknown commit", walk.request(f"{base}/commits/0123456")[0], 422)
    walk.equal("an unknown repository", walk.request("/github/repos/acme/nothing/compare/a...b")[0], 404)
    walk.equal("bad credentials", walk.request(f"{base}/commits/{head}", headers={"authorization": "Bearer invalid"})[0], 401)
    walk.control("faults", {"target": "github.compare", "kind": "throttle", "retry_after": 7, "times": 1})
    status, headers, _ = walk.request(base + "/compare/v1.4.1...v1.4.2")
    walk.equal("a throttled call", (status, {name.lower(): value for name, value in headers.items()}.get("retry-after")), (429, "7"))
    commits = [{"message": f"commit {number}", "files": [f"f{number}"]} for number in range(301)]
    head = walk.control("aws/push", {"pipeline": "web-app", "git_ref": "wide", "commits": commits})["head"]
    wide = walk.request(f"/github/repos/acme/web-app/compare/main...{head}")[2]
    walk.equal("no more than 250 commits and 300 files at once", (wide["total_commits"], len(wide["commits"]), len(wide["files"])), (301, 250, 300))


def completeness(walk):
    """Whoever adds an operation to the sandbox adds a call of it here: those that its source tells apart and boto3 knows."""
    told_apart = set()
    for folder, _, names in os.walk(SOURCE):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            told_apart |= set(re.findall(r'"([A-Z][A-Za-z0-9]+)"\s*(?:\||=>)', text)) | set(re.findall(r'operation == "([A-Za-z0-9]+)"', text))
    offered = told_apart & set().union(*walk.models.values())
    walk.check("there is something to compare", len(offered) > 90, offered)
    walk.equal("every operation has a call here", sorted(offered - walk.operations), [])
    walk.equal("and every call is one that is offered", sorted(walk.operations - offered), [])


def everything(url):
    walk = Walk(url)
    client = walk.client("codepipeline")
    definitions(walk, client)
    execution = approval(walk, client)
    version = history(walk, client, execution)
    objects(walk, version)
    attribution(walk, roles(walk))
    retries(walk, client)
    doors_and_stops(walk, client)
    modes(walk, client)
    alarms(walk)
    queues(walk)
    faults(walk, client)
    controls(walk, client)
    github(walk)
    aws_operations.everything(walk)
    aws_resources.everything(walk)
    completeness(walk)
    print(f"{walk.checked} checks over {len(walk.operations)} operations, {len(walk.failed)} failed: {', '.join(sorted(walk.operations))}")
    return 1 if walk.failed else 0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def started(binary):
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen([binary, "--listen", address, "--aws-seed", SEED])
    try:
        for _ in range(200):
            try:
                socket.create_connection(tuple(address.split(":")), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        return everything(f"http://{address}")
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="a sandbox that runs")
    where.add_argument("--start", metavar="BINARY", help="a sandbox to start")
    arguments = parser.parse_args()
    in_environment()
    return started(arguments.start) if arguments.start else everything(arguments.url.rstrip("/"))


if __name__ == "__main__":
    sys.exit(main())
