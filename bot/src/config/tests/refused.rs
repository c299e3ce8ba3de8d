//! What is refused, as people read it. The lines count: the tables of [`with`] are as long as they look.

use super::*;

fn complaints(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn warnings(text: &str) -> String {
    read(text).unwrap().warnings.join("\n")
}

/// Three lines of a service and four of an environment, then these: they begin on line 7.
fn with(lines: &str) -> String {
    format!(
        r#"[service.web]
channel = "C0DEPLOYS"
[service.web.environment.prod]
pipeline = {{ name = "web", stage = "Approve", action = "Approval" }}
aws = {{ region = "eu-central-1" }}
refs = ["v*"]
{lines}"#
    )
}

/// The same with approvers on line 7: these lines begin on line 8.
fn approved(lines: &str) -> String {
    with(&format!("approvers = {{ groups = [\"S0DEV\"] }}\n{lines}"))
}

/// Another environment of the same service, behind the same gate, of five lines.
fn another(name: &str, refs: &str) -> String {
    format!(
        r#"[service.web.environment.{name}]
pipeline = {{ name = "web", stage = "Approve", action = "Approval" }}
aws = {{ region = "eu-central-1" }}
approvers = {{ groups = ["S0DEV"] }}
refs = ["{refs}"]
"#
    )
}

#[test]
fn the_tables_of_these_tests_are_good() {
    assert_eq!(warnings(&approved("")), "");
    assert_eq!(warnings(&approved(&another("test", "main"))), "");
}

#[test]
fn syntax_of_all_files() {
    let broken = sources(&[
        ("a.toml", "x = \n[defaults\n"),
        ("b.toml", ""),
        ("c.toml", "[service.a]\nchannel = C0A\n"),
    ]);
    insta::assert_snapshot!(file::read(&broken, &CHECKS).unwrap_err(), @r"
    a.toml:1: this is not TOML: `x =`: string values must be quoted, expected literal string
    a.toml:2: this is not TOML: `[defaults`: unclosed table, expected `]`
    c.toml:2: this is not TOML: `channel = C0A`: string values must be quoted, expected literal string
    ");
}

#[test]
fn a_table_twice_in_a_file() {
    insta::assert_snapshot!(complaints(&approved("[service.web]\n")), @"signalbox.toml:8: this is not TOML: `[service.web]`: is there already: write every table and every key once");
}

#[test]
fn a_table_in_two_files() {
    let service = approved("");
    let twice = sources(&[
        ("a.toml", "[defaults]\ntimezone = \"UTC\"\n"),
        ("b.toml", &service),
        ("c.toml", "\n[defaults]\n[store]\n"),
        ("d.toml", "[store]\n[service.web]\n"),
    ]);
    insta::assert_snapshot!(file::read(&twice, &CHECKS).unwrap_err(), @r"
    c.toml:2: defaults: stands in a.toml:1 already: keep all of it in one file
    d.toml:1: store: stands in c.toml:3 already: keep all of it in one file
    d.toml:2: service.web: stands in b.toml:1 already: keep all of it in one file
    ");
}

#[test]
fn unknown_keys() {
    let text = approved(
        "aproverz = 1\nrunbook = 2\nfunctionz = {}\n[service.web.maintenance]\n[defaults]\ntime_zone = \"UTC\"\n[servise]\n[aws]\nevent = 1\n",
    );
    insta::assert_snapshot!(complaints(&text), @r"
    signalbox.toml:8: service.web.environment.prod.aproverz: is no key of this table. Did you mean `approvers`? Known here: tier, refs, promotes_from, pipeline, aws, approvers, operators, override, checks, alarms, functions, maintenance
    signalbox.toml:9: service.web.environment.prod.runbook: is no key of this table. Known here: tier, refs, promotes_from, pipeline, aws, approvers, operators, override, checks, alarms, functions, maintenance
    signalbox.toml:10: service.web.environment.prod.functionz: is no key of this table. Did you mean `functions`? Known here: tier, refs, promotes_from, pipeline, aws, approvers, operators, override, checks, alarms, functions, maintenance
    signalbox.toml:11: service.web.maintenance: is no key of this table. Known here: channel, github, authors, unknown_author, timezone, migrations, hosts, environment, freeze, known, runbook, task
    signalbox.toml:13: defaults.time_zone: is no key of this table. Did you mean `timezone`? Known here: teams, command_line, timezone, unknown_author, migrations, aws
    signalbox.toml:14: servise: is no key of this table. Did you mean `service`? Known here: defaults, store, commands, aws, service
    signalbox.toml:16: aws.event: is no key of this table. Did you mean `events`? Known here: events, topics
    ");
}

#[test]
fn unknown_keys_of_inner_tables() {
    let text = with(
        "approvers = { group = [\"S0DEV\"], users = [\"U0ANN\"] }\noperators = { users = [\"U0ANN\"], required = 2 }\n[[service.web.freeze]]\nweekly = \"Fri 15:00 - Mon 08:00\"\nwhy = \"x\"\n",
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:7: service.web.environment.prod.approvers.group: is no key of this table. Did you mean `groups`? Known here: groups, users, required, all_of, self_approval
    signalbox.toml:8: service.web.environment.prod.operators.required: is no key of this table. Known here: groups, users
    signalbox.toml:9: service.web.freeze: `reason` is missing: add `reason = "no deploys over the weekend"`
    signalbox.toml:11: service.web.freeze.why: is no key of this table. Known here: weekly, dated, reason, environments
    "#);
}

#[test]
fn wrong_types() {
    let text = with(
        "tier = 1\npromotes_from = [\"x\"]\nchecks = \"alarms-quiet\"\napprovers = { groups = \"S0DEV\", users = [1], required = \"2\", self_approval = \"no\" }\noperators = [\"S0OPS\"]\n[service.web.freeze]\nweekly = 2026-12-20\n[[service.web.environment.list]]\n",
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:7: service.web.environment.prod.tier: is a whole number: write a string in quotes
    signalbox.toml:8: service.web.environment.prod.promotes_from: is a list: write a string in quotes
    signalbox.toml:9: service.web.environment.prod.checks: is a string: write a list, such as `["…"]`
    signalbox.toml:10: service.web.environment.prod.approvers.groups: is a string: write a list, such as `["…"]`
    signalbox.toml:10: service.web.environment.prod.approvers.required: is a string: write a whole number, without quotes
    signalbox.toml:10: service.web.environment.prod.approvers.self_approval: is a string: write `true` or `false`, without quotes
    signalbox.toml:10: service.web.environment.prod.approvers.users: is a whole number: write a string in quotes
    signalbox.toml:11: service.web.environment.prod.operators: is a list: write a table, such as `{ key = "value" }`
    signalbox.toml:12: service.web.freeze: is one table, but there may be several: write its header as `[[service.web.freeze]]`
    signalbox.toml:14: service.web.environment.list: is a list: write a table, such as `{ key = "value" }`
    "#);
}

#[test]
fn empty_values() {
    let text = approved(
        "alarms = []\nchecks = [\"alarms-quiet\"]\nrefs2 = []\n[service.other]\nchannel = \"\"\ngithub = \" \"\n[service.third]\n",
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:8: service.web.environment.prod.alarms: is an empty list: name alarms, or leave it out where all of the account count
    signalbox.toml:10: service.web.environment.prod.refs2: is no key of this table. Did you mean `refs`? Known here: tier, refs, promotes_from, pipeline, aws, approvers, operators, override, checks, alarms, functions, maintenance
    signalbox.toml:11: service.other: has no environment: add a table `[service.other.environment.NAME]`
    signalbox.toml:12: service.other.channel: is empty: fill it in, or delete it if it is not needed
    signalbox.toml:13: service.other.github: is empty: fill it in, or delete it if it is not needed
    signalbox.toml:14: service.third: `channel` is missing: add `channel = "C012ABC"`
    signalbox.toml:14: service.third: has no environment: add a table `[service.third.environment.NAME]`
    "#);
}

#[test]
fn no_service() {
    insta::assert_snapshot!(complaints("[defaults]\n"), @"signalbox.toml: no service is configured: add a table `[service.NAME]`");
    insta::assert_snapshot!(complaints(""), @"signalbox.toml: no service is configured: add a table `[service.NAME]`");
}

#[test]
fn what_must_be_there() {
    insta::assert_snapshot!(complaints("[service.web]\n\n[service.web.environment.prod]\n"), @r#"
    signalbox.toml:1: service.web: `channel` is missing: add `channel = "C012ABC"`
    signalbox.toml:3: service.web.environment.prod: `pipeline` is missing: add `pipeline = { name = "…", stage = "…", action = "…" }`
    signalbox.toml:3: service.web.environment.prod: the AWS region is missing: add `region = "eu-central-1"` here, or `aws = { region = "eu-central-1" }` under [defaults]
    "#);
}

#[test]
fn ids_of_the_wrong_kind() {
    let text = with("approvers = { groups = [\"@devs\"], users = [\"ann\"] }\n").replace("C0DEPLOYS", "#deploys");
    insta::assert_snapshot!(complaints(&format!("{text}[defaults]\nteams = [\"acme\"]\n")), @r"
    signalbox.toml:2: service.web.channel: `#deploys` is no channel id: write a Slack id such as C012ABC; it stands at the end of the channel's details in Slack, under About
    signalbox.toml:7: service.web.environment.prod.approvers.groups: `@devs` is no user group id: write a Slack id such as S012ABC; the address of the group's page in Slack ends in it
    signalbox.toml:7: service.web.environment.prod.approvers.users: `ann` is no user id: write a Slack id such as U012ABC; Slack shows it in the person's profile, under More (⋮), Copy member ID
    signalbox.toml:9: defaults.teams: `acme` is no team id: write a Slack id such as T012ABC; the address of the workspace in a browser holds it, after /client/
    ");
}

#[test]
fn names_of_services() {
    let service = |name: &str| approved("").replace("service.web", &format!("service.{name}"));
    insta::assert_snapshot!(complaints(&["approve", "all", "help", "Web"].map(service).concat()), @r"
    signalbox.toml:1: service.approve: `approve` is a word of the commands and cannot be told from a service: give it another name
    signalbox.toml:8: service.all: `all` is a word of the commands and cannot be told from a service: give it another name
    signalbox.toml:11: service.all.environment.prod.pipeline: this approval belongs to another service already (service.approve.environment.prod.pipeline, signalbox.toml:4): give it to one of them
    signalbox.toml:15: service.help: `help` is a word of the commands and cannot be told from a service: give it another name
    signalbox.toml:18: service.help.environment.prod.pipeline: this approval belongs to another service already (service.approve.environment.prod.pipeline, signalbox.toml:4): give it to one of them
    signalbox.toml:22: service.Web: `Web` is no service name: write lower-case letters, digits and dashes, at most 40
    signalbox.toml:25: service.Web.environment.prod.pipeline: this approval belongs to another service already (service.approve.environment.prod.pipeline, signalbox.toml:4): give it to one of them
    ");
}

#[test]
fn names_of_environments() {
    let text = [another("PROD", "a"), another("all", "b"), another("\"stage.two\"", "c")].concat();
    insta::assert_snapshot!(complaints(&approved(&text)), @r"
    signalbox.toml:8: service.web.environment.PROD: differs from the name in signalbox.toml:3 only in upper and lower case: give it another name
    signalbox.toml:13: service.web.environment.all: `all` means every environment in the commands: give it another name
    signalbox.toml:18: service.web.environment.stage.two: `stage.two` is no environment name: write lower-case letters, digits and dashes, at most 40
    ");
}

#[test]
fn values_of_a_service() {
    let text = approved("").replace(
        "channel = \"C0DEPLOYS\"",
        "channel = \"C0DEPLOYS\"\ngithub = \"https://github.com/acme/web\"\ntimezone = \"America/Sao Paulo\"\nunknown_author = \"ignore\"\nmigrations = [\"/db/**\"]\nauthors = { ann = \"U0ANN\", \"Ann@x.org\" = \"U0ANN\", \"ann@x.org\" = \"ann\" }",
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:3: service.web.github: `https://github.com/acme/web` is not a repository: write `owner/name`, without the address of GitHub
    signalbox.toml:4: service.web.timezone: `America/Sao Paulo` is not a time zone: write an IANA name such as `America/Sao_Paulo`. Did you mean `America/Sao_Paulo`?
    signalbox.toml:5: service.web.unknown_author: is `ignore`: write `"refuse"` or `"allow"`
    signalbox.toml:6: service.web.migrations: `/db/**` fits no file: paths start at the top of the repository, such as `db/migrations/**`
    signalbox.toml:7: service.web.authors.ann: `ann` is not an e-mail address: write `"dev@example.org" = "U…"`
    signalbox.toml:7: service.web.authors.ann@x.org: `ann` is no user id: write a Slack id such as U012ABC; Slack shows it in the person's profile, under More (⋮), Copy member ID
    signalbox.toml:7: service.web.authors.ann@x.org: differs from the address in signalbox.toml:7 only in upper and lower case: delete one
    "#);
}

#[test]
fn words() {
    let text =
        approved("tier = \"prod\"\n[defaults]\ncommand_line = \"yes\"\n[store]\naccept_unsafe_durability = \"true\"\n");
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:8: service.web.environment.prod.tier: is `prod`: write `"standard"` or `"production"`
    signalbox.toml:10: defaults.command_line: is `yes`: write `"off"` or `"standard"` or `"production"`
    signalbox.toml:12: store.accept_unsafe_durability: is a string: write `true` or `false`, without quotes
    "#);
}

#[test]
fn half_a_pipeline() {
    let text = approved("").replace(", action = \"Approval\"", "");
    insta::assert_snapshot!(complaints(&text), @"signalbox.toml:4: service.web.environment.prod.pipeline: `action` is missing: an approval stands in a pipeline's stage and action, so write all of `name`, `stage` and `action`");
}

#[test]
fn patterns_of_refs() {
    let text = approved("").replace("[\"v*\"]", "[\n  \"^v[0-9]+$\",\n  \"main\", \"main\",\n]");
    insta::assert_snapshot!(complaints(&text), @r"
    signalbox.toml:7: service.web.environment.prod.refs: `^v[0-9]+$` fits no ref because of `^`: write `*` for anything within a part, `**` for anything at all
    signalbox.toml:8: service.web.environment.prod.refs: `main` is listed twice: delete one
    ");
    insta::assert_snapshot!(complaints(&approved("").replace("[\"v*\"]", "[]")), @"signalbox.toml:6: service.web.environment.prod.refs: is an empty list: name branches or tags, or leave it out where all refs go here");
}

#[test]
fn accounts() {
    let aws = |aws: &str| complaints(&approved("").replace("aws = { region = \"eu-central-1\" }", aws));
    insta::assert_snapshot!(aws(""), @r#"signalbox.toml:3: service.web.environment.prod: the AWS region is missing: add `region = "eu-central-1"` here, or `aws = { region = "eu-central-1" }` under [defaults]"#);
    insta::assert_snapshot!(aws("aws = {}"), @r#"signalbox.toml:5: service.web.environment.prod.aws: the AWS region is missing: add `region = "eu-central-1"` here, or `aws = { region = "eu-central-1" }` under [defaults]"#);
    insta::assert_snapshot!(aws("aws = { region = 1, role_arn = \"\" }"), @r"
    signalbox.toml:5: service.web.environment.prod.aws.region: is a whole number: write a string in quotes
    signalbox.toml:5: service.web.environment.prod.aws.role_arn: is empty: fill it in, or delete it if it is not needed
    ");
    insta::assert_snapshot!(aws("aws = { region = \"eu-central-1\", external_id = \"7\" }"), @"signalbox.toml:5: service.web.environment.prod.aws.external_id: stands without `role_arn`, which is whom it is shown to: add the role, or delete this");
    insta::assert_snapshot!(aws("aws = { region = \"Frankfurt\", role_arn = \"arn:aws:iam::1111:user/signalbox\" }"), @r"
    signalbox.toml:5: service.web.environment.prod.aws.region: `Frankfurt` is not an AWS region: write one such as `eu-central-1`
    signalbox.toml:5: service.web.environment.prod.aws.role_arn: `arn:aws:iam::1111:user/signalbox` is not the ARN of a role: write one such as `arn:aws:iam::111122223333:role/signalbox`
    ");
}

#[test]
fn queues() {
    let text = "[[aws.events]]\n[[aws.events]]\nurl = \"signalbox-events\"\nregion = \"eu-central-1\"\n[[aws.events]]\nurl = \"https://sqs.x/1/q\"\nregion = \"eu-central-1\"\n[[aws.events]]\nurl = \"https://sqs.x/1/q\"\nregion = \"eu-central-1\"\nexternal_id = \"7\"\n";
    insta::assert_snapshot!(complaints(&approved(text)), @r#"
    signalbox.toml:8: aws.events: `url` is missing: add `url = "https://sqs.eu-central-1.amazonaws.com/111122223333/signalbox"`
    signalbox.toml:8: aws.events: the AWS region is missing: add `region = "eu-central-1"` here, or `aws = { region = "eu-central-1" }` under [defaults]
    signalbox.toml:10: aws.events.url: `signalbox-events` is not the address of a queue: write one such as `https://sqs.eu-central-1.amazonaws.com/111122223333/signalbox`
    signalbox.toml:15: aws.events: is the queue of signalbox.toml:12 again: delete one
    signalbox.toml:18: aws.events.external_id: stands without `role_arn`, which is whom it is shown to: add the role, or delete this
    "#);
}

#[test]
fn approvals_that_nobody_could_give() {
    let approvers = |approvers: &str| complaints(&with(&format!("approvers = {approvers}")));
    insta::assert_snapshot!(approvers("{}"), @r#"signalbox.toml:7: service.web.environment.prod.approvers: names nobody: add `groups = ["S…"]` or `users = ["U…"]`"#);
    insta::assert_snapshot!(approvers("{ groups = [\"S0DEV\"], required = 0 }"), @"signalbox.toml:7: service.web.environment.prod.approvers.required: is 0: write a whole number, 1 or more");
    insta::assert_snapshot!(approvers("{ groups = [\"S0DEV\"], required = -1 }"), @"signalbox.toml:7: service.web.environment.prod.approvers.required: is -1: write a whole number, 1 or more");
    insta::assert_snapshot!(approvers("{ users = [\"U0ANN\", \"U0BOB\"], required = 3 }"), @"signalbox.toml:7: service.web.environment.prod.approvers.required: asks for 3 people, but only 2 and no group may approve: name more users, add a group, or write `required = 2`");
    insta::assert_snapshot!(approvers("{ users = [\"U0ANN\", \"U0ANN\"], required = 2 }"), @r"
    signalbox.toml:7: service.web.environment.prod.approvers.required: asks for 2 people, but only 1 and no group may approve: name more users, add a group, or write `required = 1`
    signalbox.toml:7: service.web.environment.prod.approvers.users: `U0ANN` is listed twice: delete one
    ");
    insta::assert_snapshot!(approvers("{ groups = [\"S0DEV\"], all_of = [\"S0DEV\", \"S0OPS\"] }"), @"signalbox.toml:7: service.web.environment.prod.approvers.all_of: stands beside `groups`: write `groups` where any member will do, or `all_of` where one of each group is needed, not both");
    insta::assert_snapshot!(approvers("{ all_of = [\"S0DEV\", \"S0OPS\"], required = 1 }"), @"signalbox.toml:7: service.web.environment.prod.approvers.required: asks for 1, but one of each of 2 groups is 2 people: write `required = 2`, or leave it out");
    insta::assert_snapshot!(complaints(&approved("operators = {}\noverride = { users = [] }\n")), @r#"
    signalbox.toml:8: service.web.environment.prod.operators: names nobody: add `groups = ["S…"]` or `users = ["U…"]`
    signalbox.toml:9: service.web.environment.prod.override: names nobody: add `groups = ["S…"]` or `users = ["U…"]`
    "#);
}

#[test]
fn checks_and_alarms() {
    insta::assert_snapshot!(complaints(&approved("checks = [\"alarm-quiet\", \"backup-fresh\"]\n")), @r"
    signalbox.toml:8: service.web.environment.prod.checks: `alarm-quiet` is no check of this version. Did you mean `alarms-quiet`? It has: alarms-quiet, maintenance-asked, migrations-touched
    signalbox.toml:8: service.web.environment.prod.checks: `backup-fresh` is no check of this version. It has: alarms-quiet, maintenance-asked, migrations-touched
    ");
    insta::assert_snapshot!(complaints(&approved("alarms = [\"web-*\"]\n")), @"signalbox.toml:8: service.web.environment.prod.alarms: stands without the check that reads it: add `alarms-quiet` to `checks`, or delete this");
    insta::assert_snapshot!(complaints(&approved("checks = [\"alarms-quiet\"]\nalarms = [\"*-web\"]\n")), @"signalbox.toml:9: service.web.environment.prod.alarms: `*-web`: a `*` may stand at the end only, for all alarms that begin so");
}

#[test]
fn functions_and_maintenance() {
    let functions = |rest: &str| complaints(&approved(&format!("functions = {{ {rest} }}\n")));
    insta::assert_snapshot!(functions("prefix = \"web-{environment}\", levels = [\"info\"], baseline = \"inof\""), @r#"
    signalbox.toml:8: service.web.environment.prod.functions: `level_key` is missing: add `level_key = "LOG_LEVEL"`
    signalbox.toml:8: service.web.environment.prod.functions.baseline: `inof` is none of the `levels`: info. Did you mean `info`?
    signalbox.toml:8: service.web.environment.prod.functions.prefix: holds braces, but nothing is filled in here: write the name as it is
    "#);
    let written = |file: &str| functions(&format!("level_file = \"{file}\""));
    for file in ["serverless.yml", "serverless.yml:", "serverless.yml:0", ":31"] {
        let why = format!(
            "level_file: `{file}` does not say on which line: write file and line, such as `serverless.yml:31`"
        );
        assert!(written(file).contains(&why), "{}", written(file));
    }
    assert!(!written("serverless.yml:31").contains("level_file"));
    let maintenance = |rest: &str| complaints(&approved(&format!("maintenance = {{ {rest} }}\n")));
    let told = [
        "redis_key = \"k\"",
        "redis_key = \"k\", lambda = \"f\"",
        "lambda = \"f_{color}\", on = \"1\", off = \"0\"",
        "http = { on = \"https://x.example/on\", off = \"https://x.example/off\" }",
        "http = { on = \"https://x.example/on\", off = \"https://x.example/off\" }, read_url = \"https://x.example/\", read_json = \"on\"",
        "env_var = \"M\"",
        "flag = { table = \"t\" }, regions = [\"eu-west-1\"]",
        "redis = \"k\"",
        "redis_key = \"k\", redis_url_env = \"redis://:word@cache.example\"",
        "redis_key = \"k\", redis_url_env = \"REDIS_URL\"",
    ]
    .map(maintenance);
    insta::assert_snapshot!(told.join("\n"), @r#"
    signalbox.toml:8: service.web.environment.prod.maintenance: `redis_url_env` is missing: the environment variable of the bot that holds the address
    signalbox.toml:8: service.web.environment.prod.maintenance: write one of `flag`, `lambda`, `redis_key`, `env_var` and `http`: how it is turned on
    signalbox.toml:8: service.web.environment.prod.maintenance: `{color}` stands for nothing here: there are {environment}, {service}, and {color} with `color`
    signalbox.toml:8: service.web.environment.prod.maintenance: `read_url` and `read_json` are missing: what tells whether it is on
    signalbox.toml:8: service.web.environment.prod.maintenance: speaks to https://x.example, which the service does not list: add it to `hosts` of the service
    signalbox.toml:8: service.web.environment.prod.maintenance: `functions` is missing: whose variable it is
    signalbox.toml:8: service.web.environment.prod.maintenance: `table` needs `key = { pk = "…" }` and `attribute = "…"`
    signalbox.toml:8: service.web.environment.prod.maintenance: one region is the environment's own: leave `regions` out, or name all
    signalbox.toml:8: service.web.environment.prod.maintenance: unknown field `redis`, expected one of `flag`, `lambda`, `redis_key`, `env_var`, `http`, `on`, `off`, `redis_url_env`, `functions`, `regions`, `color`, `read_url`, `read_json`, `read_flag`, `read_on`, `secret_env`
    signalbox.toml:8: service.web.environment.prod.maintenance: `redis_url_env` is no name of an environment variable: write one such as `HEROKU_API_KEY`, never the secret itself
    signalbox.toml:8: service.web.environment.prod.maintenance: `REDIS_URL` is the bot's own and is handed to nobody: name a variable with a secret of that service's
    "#);
}

#[test]
fn freezes() {
    let freeze = |lines: &str| complaints(&approved(&format!("[[service.web.freeze]]\n{lines}")));
    insta::assert_snapshot!(freeze("reason = \"x\""), @r#"signalbox.toml:8: service.web.freeze: does not say when: add `weekly = "Fri 15:00 - Mon 08:00"` or `dated = "2026-12-20 - 2027-01-04"`"#);
    insta::assert_snapshot!(freeze("weekly = \"Fri 15:00 - Mon 08:00\"\ndated = \"2026-12-20 - 2027-01-04\""), @r#"
    signalbox.toml:8: service.web.freeze: `reason` is missing: add `reason = "no deploys over the weekend"`
    signalbox.toml:8: service.web.freeze: has both `weekly` and `dated`: write two freezes, each with its own header
    "#);
    insta::assert_snapshot!(freeze("weekly = \"Friday afternoon\"\nreason = \"x\""), @"signalbox.toml:9: service.web.freeze.weekly: `Friday afternoon` is not a window: write `Fri 15:00 - Mon 08:00`");
    insta::assert_snapshot!(freeze("dated = \"2027-01-04 - 2026-12-20\"\nreason = \"x\""), @"signalbox.toml:9: service.web.freeze.dated: `2027-01-04 - 2026-12-20` is not a window: write `2026-12-20 - 2027-01-04` (both days included) or `2026-12-20 12:00 - 2026-12-21 08:00`");
    insta::assert_snapshot!(freeze("weekly = \"Fri 15:00 - Mon 08:00\"\nreason = \"x\"\nenvironments = [\"prd\", \"test\"]"), @r"
    signalbox.toml:11: service.web.freeze.environments: this service has no environment `prd`. Did you mean `prod`? It has: prod
    signalbox.toml:11: service.web.freeze.environments: this service has no environment `test`. It has: prod
    ");
}

#[test]
fn the_order_of_environments() {
    let from = |from: &str| {
        complaints(&approved(&format!(
            "promotes_from = \"{from}\"\n{}",
            another("test", "main")
        )))
    };
    insta::assert_snapshot!(from("tset"), @"signalbox.toml:8: service.web.environment.prod.promotes_from: this service has no environment `tset`. Did you mean `test`? It has: prod, test");
    insta::assert_snapshot!(from("prod"), @"signalbox.toml:8: service.web.environment.prod.promotes_from: is the environment itself: name the one in which the revision has to succeed first");
    let circle = [
        "promotes_from = \"test\"\n".to_owned(),
        another("test", "main"),
        "promotes_from = \"stage\"\n".to_owned(),
        another("stage", "stage"),
        "promotes_from = \"test\"\n".to_owned(),
    ];
    insta::assert_snapshot!(complaints(&approved(&circle.concat())), @"signalbox.toml:14: service.web.environment.test.promotes_from: goes in a circle (test → stage → test): nothing could ever be the first to go out");
}

#[test]
fn one_approval_of_two_services() {
    let other = approved("").replace("service.web", "service.app");
    insta::assert_snapshot!(complaints(&format!("{}{other}", approved(""))), @"signalbox.toml:11: service.app.environment.prod.pipeline: this approval belongs to another service already (service.web.environment.prod.pipeline, signalbox.toml:4): give it to one of them");
    let elsewhere = other.replace("eu-central-1", "eu-west-1");
    assert_eq!(warnings(&format!("{}{elsewhere}", approved(""))), "");
}

/// `wallet-mainnet-` begins the functions of `wallet-mainnet-stg-` as well.
#[test]
fn functions_of_two_environments() {
    let functions = |prefix: &str, more: &str| {
        format!(
            "functions = {{ prefix = \"{prefix}\"{more}, level_key = \"LOG_LEVEL\", baseline = \"info\", levels = [\"info\"] }}\n"
        )
    };
    let both = |more: &str| {
        let stage = another("stage", "stage") + &functions("web-prod-stg-", "");
        approved(&(functions("web-prod-", more) + &stage))
    };
    insta::assert_snapshot!(complaints(&both("")), @r#"signalbox.toml:8: service.web.environment.prod.functions: `web-prod-` takes in the functions of `stage`, which begin with `web-prod-stg-`: add `but = ["web-prod-stg-"]`"#);
    insta::assert_snapshot!(complaints(&both(", but = [\"stg-\"]")), @r#"
    signalbox.toml:8: service.web.environment.prod.functions: `web-prod-` takes in the functions of `stage`, which begin with `web-prod-stg-`: add `but = ["web-prod-stg-"]`
    signalbox.toml:8: service.web.environment.prod.functions.but: `stg-` leaves nothing out: write what goes on where the `prefix` ends, such as `web-prod-stg-`
    "#);
    assert_eq!(warnings(&both(", but = [\"web-prod-stg-\"]")), "");
    let elsewhere = both("").replacen("eu-central-1", "eu-west-1", 1);
    assert_eq!(warnings(&elsewhere), "");
}

#[test]
fn refs_that_are_left_out() {
    insta::assert_snapshot!(complaints(&approved("").replace("[\"v*\"]", "[\"!v*-rc*\"]")), @r#"signalbox.toml:6: service.web.environment.prod.refs: only leaves refs out: say first which go here, such as `"**"`"#);
    let without = |refs: &str| warnings(&approved(&another("test", "v*-rc*")).replace("[\"v*\"]", refs));
    assert!(without("[\"v*\"]").contains("some refs fit"));
    assert_eq!(without("[\"v*\", \"!v*-rc*\"]"), "");
}

#[test]
fn everything_at_once_in_the_order_of_the_lines() {
    let text = "[service.web]\nchanel = \"C0A\"\n[service.web.environment.prod]\ntier = \"prod\"\nchecks = [\"x\"]\n[defaults]\ntimezone = \"Mars\"\n";
    insta::assert_snapshot!(complaints(text), @r#"
    signalbox.toml:1: service.web: `channel` is missing: add `channel = "C012ABC"`
    signalbox.toml:2: service.web.chanel: is no key of this table. Did you mean `channel`? Known here: channel, github, authors, unknown_author, timezone, migrations, hosts, environment, freeze, known, runbook, task
    signalbox.toml:3: service.web.environment.prod: `pipeline` is missing: add `pipeline = { name = "…", stage = "…", action = "…" }`
    signalbox.toml:3: service.web.environment.prod: the AWS region is missing: add `region = "eu-central-1"` here, or `aws = { region = "eu-central-1" }` under [defaults]
    signalbox.toml:4: service.web.environment.prod.tier: is `prod`: write `"standard"` or `"production"`
    signalbox.toml:5: service.web.environment.prod.checks: `x` is no check of this version. It has: alarms-quiet, maintenance-asked, migrations-touched
    signalbox.toml:7: defaults.timezone: `Mars` is not a time zone: write an IANA name such as `America/Sao_Paulo`.
    "#);
}

#[test]
fn warned_of() {
    insta::assert_snapshot!(warnings(&with("")), @r#"signalbox.toml:3: service.web.environment.prod: has no `approvers`, so nobody may decide here through the bot: add `approvers = { groups = ["S…"] }`"#);
    insta::assert_snapshot!(warnings(&approved(&another("test", "v1.*"))), @"signalbox.toml:12: service.web.environment.test.refs: some refs fit `prod` as well as `test`: a run of such a ref counts for both, and the rules of both hold");
    insta::assert_snapshot!(warnings(&approved(&another("test", "main").replace("refs = [\"main\"]\n", ""))), @"signalbox.toml:8: service.web.environment.test: some refs fit `prod` as well as `test`: a run of such a ref counts for both, and the rules of both hold");
    let elsewhere = another("test", "main").replace("eu-central-1", "eu-west-1");
    insta::assert_snapshot!(warnings(&approved(&elsewhere)), @"");
}

#[test]
fn files_that_are_not_there() {
    let error = load(std::path::Path::new("no/such/signalbox.toml"), &CHECKS).unwrap_err();
    insta::assert_snapshot!(error, @"no/such/signalbox.toml: there is no such file or folder: copy docs/example.toml there, or say in SIGNALBOX_CONFIG where it is");
}

#[test]
fn steps_over_aws_that_could_not_do_what_they_say() {
    let step = |name: &str, keys: &str| format!("[[service.web.runbook.x.step]]\nname = \"{name}\"\n{keys}\n");
    let snapshot = step("save", "kind = \"snapshot\"\ninstance = \"db\"\nyounger = \"3h\"");
    let pause = |needs: &str| {
        step(
            "pause",
            &format!("kind = \"wait\"\nfor = \"1m\"\nneeds_snapshot = {needs}"),
        )
    };
    for (steps, why) in [
        (
            pause("{ step = \"save\", younger = \"2h\" }") + &snapshot,
            "needs a snapshot of `save`, which is no earlier step of kind `snapshot`",
        ),
        (
            snapshot.clone() + &pause("{ step = \"save\", younger = \"2h\" }"),
            "needs a snapshot younger than 2 h, but `save` takes none while there is one younger than 3 h",
        ),
        (
            snapshot.clone() + &pause("{ step = \"save\" }"),
            "missing field `younger`",
        ),
        (step("a", "kind = \"snapshot\""), "write either `instance` or `cluster`"),
        (
            step("a", "kind = \"redrive\"\nqueue = \"q\"\nper_second = 501"),
            "SQS takes 1 to 500",
        ),
        (
            step(
                "a",
                "kind = \"route53\"\nzone = \"z\"\nrecord = \"r\"\ntype = \"A\"\nvalues = [\"1\"]",
            ),
            "`values` need a `ttl`",
        ),
        (
            step(
                "a",
                "kind = \"mapping\"\ndomain = \"d\"\nstage = \"s\"\napi = \"a\"\nversion = 3",
            ),
            "`version` is 3",
        ),
        (
            step("a", "kind = \"alarms\"\nalarms = [\"*\"]"),
            "would be every alarm of the account",
        ),
        (step("a", "kind = \"posture\"\nwants = []"), "`wants` is empty"),
        (
            step("a", "kind = \"posture\"\nwants = [{ bucket_open = \"b\" }]"),
            "unknown variant `bucket_open`",
        ),
    ] {
        let told = complaints(&approved(&steps));
        assert!(told.contains(why), "{why} is not in\n{told}");
    }
    let good = snapshot + &pause("{ step = \"save\", younger = \"3h\" }");
    assert!(read(&approved(&good)).is_ok(), "what is old enough for both is taken");
}

#[test]
fn steps_reach_only_what_is_listed_and_allowed() {
    let text = approved(
        r#"[commands]
allow = { make = ["make"], migrate = ["/usr/bin/make", "migrate"] }
[service.web.runbook.go]
title = "Goes"
[[service.web.runbook.go.step]]
name = "known"
kind = "command"
local = "migrate"
[[service.web.runbook.go.step]]
name = "program"
kind = "command"
local = "other"
[[service.web.runbook.go.step]]
name = "job"
kind = "job"
secret_env = "SLACK_BOT_TOKEN"
jenkins = { url = "https://jenkins.example.org", user = "u", job = "j" }
[[service.web.runbook.go.step]]
name = "say"
kind = "announce"
text = "it was {was}"
[[service.web.runbook.go.step]]
name = "build"
kind = "codebuild"
project = "web-build"
head = "main"
"#,
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:9: commands.allow.make: is no program: write its whole path and its arguments, such as `["/usr/bin/make", "migrate"]`; there is no shell
    signalbox.toml:16: service.web.runbook.go.step: runs a program `other`, which is not allowed: add it under `[commands]`, as `allow = { other = ["/path", "…"] }`
    signalbox.toml:20: service.web.runbook.go.step: `SLACK_BOT_TOKEN` is the bot's own and is handed to nobody: name a variable with a secret of that service's
    signalbox.toml:20: service.web.runbook.go.step: speaks to https://jenkins.example.org, which the service does not list: add it to `hosts` of the service
    signalbox.toml:25: service.web.runbook.go.step: `{was}` stands for nothing here: there are {environment}, {service}, {parameter.NAME} and {step.NAME.OUTPUT} of an earlier step
    signalbox.toml:29: service.web.runbook.go.step: has to build the newest commit of main, but the service does not say where that is: add `github = "owner/repository"` to it
    "#);
}

#[test]
fn tasks_are_one_step_by_a_name_of_its_own() {
    let text = approved(
        r#"[service.web.task.Tidy]
step = { kind = "wait", for = "1m" }
[service.web.task.two]
[[service.web.task.two.step]]
kind = "wait"
for = "1m"
[service.web.task.none]
titel = "Nothing"
[service.web.task.named]
second_person = ["nowhere"]
starters = { groups = [] }
step = { name = "x", kind = "wait", for = "1m" }
[service.web.task.helps]
step = { kind = "lambda", function = "f-{parameter.what}", remedy = true }
[service.web.runbook."task:x"]
[[service.web.runbook."task:x".step]]
name = "pause"
kind = "wait"
for = "1m"
"#,
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:8: service.web.task.Tidy: `Tidy` is no task name: write lower-case letters, digits and dashes, at most 40
    signalbox.toml:11: service.web.task.two.step: is a list: write a table, such as `{ key = "value" }`
    signalbox.toml:14: service.web.task.none: `step` is missing: add `step = { kind = "lambda", function = "…" }`
    signalbox.toml:15: service.web.task.none.titel: is no key of this table. Did you mean `title`? Known here: title, environments, parameter, starters, second_person, step
    signalbox.toml:17: service.web.task.named.second_person: this service has no environment `nowhere`. It has: prod
    signalbox.toml:18: service.web.task.named.starters: names nobody: add `groups = ["S…"]` or `users = ["U…"]`
    signalbox.toml:19: service.web.task.named.step.name: this is no step of kind `wait`: unknown field `name`, expected `for`
    signalbox.toml:21: service.web.task.helps.step: `{parameter.what}` stands for nothing here: there are {environment}, {service}, {parameter.NAME} and {step.NAME.OUTPUT} of an earlier step
    signalbox.toml:21: service.web.task.helps.step: is the only step of its task, so there is nothing that it could be the remedy of: delete `remedy`
    signalbox.toml:22: service.web.runbook.task:x: is the name of a task: write it as a table `[service.NAME.task.NAME]`
    "#);
}

#[test]
fn a_schema_says_its_job_its_order_and_its_repository() {
    let step = |keys: &str| {
        format!(
            "[[service.web.runbook.x.step]]\nname = \"a\"\nkind = \"schema\"\ndatabase = \"d\"\nversion = \"v1\"\n{keys}\n"
        )
    };
    let job = "first = \"schema\"\nproject = \"p\"";
    for (keys, why) in [
        ("first = \"schema\"", "names no job: write `project`"),
        ("project = \"p\"", "does not say what goes first"),
        ("first = \"both\"\nproject = \"p\"", "unknown variant `both`"),
        ("look = true\nsource_version = \"v1\"", "unknown field `source_version`"),
        (
            &format!("{job}\nread_url = \"https://x.example.org/v\"\nread_json = \"v\""),
            "speaks to https://x.example.org",
        ),
        (
            job,
            "the service names no repository: add `github = \"owner/name\"` to it",
        ),
    ] {
        let told = complaints(&approved(&step(keys)));
        assert!(told.contains(why), "{why} is not in\n{told}");
    }
    assert!(read(&approved(&step(&format!("{job}\nunknown = \"allow\"")))).is_ok());
}

#[test]
fn what_only_looks_moves_nothing() {
    let step = |keys: &str| {
        format!(
            "[[service.web.runbook.x.step]]\nname = \"a\"\n{keys}\nmoves = {{ what = \"API\", from = \"blue\", to = \"green\" }}\n"
        )
    };
    let flag = "kind = \"flag\"\nparameter = \"/color\"";
    for (keys, kind) in [
        (flag, "flag"),
        ("kind = \"event_source\"\nfunction = \"streams\"", "event_source"),
        ("kind = \"approval\"\nquestion = \"Yes?\"", "approval"),
        ("kind = \"wait\"\nfor = \"1m\"", "wait"),
    ] {
        let told = complaints(&approved(&step(keys)));
        let why = format!("a step of kind `{kind}` that only looks or asks moves nothing: delete `moves`");
        assert!(told.contains(&why), "{why} is not in\n{told}");
    }
    // The same flag that is set may say what it moves.
    assert!(read(&approved(&step(&format!("{flag}\nvalue = \"green\"")))).is_ok());
}

#[test]
fn what_is_kept_under_a_command_is_known_there_and_alone() {
    let runbook = |name: &str, keys: &str| {
        format!(
            "[service.web.runbook.{name}]\n{keys}\n[[service.web.runbook.{name}.step]]\nname = \"a\"\nkind = \"wait\"\nfor = \"1m\"\n"
        )
    };
    let abort = "command = \"/migrate abort\"";
    for (text, why) in [
        (
            runbook("x", "command = \"/migrate abrot\""),
            "is no command under which a runbook is kept. Did you mean `/migrate abort`?",
        ),
        (
            runbook("x", abort) + &runbook("y", abort),
            "is kept under `/migrate abort`, and so is x: no environment may have two",
        ),
        (
            runbook("x", &format!("{abort}\nparameter.to = {{ summary = \"where\" }}")),
            "takes a reason and no values: give the parameter to a `default`",
        ),
    ] {
        let told = complaints(&approved(&text));
        assert!(told.contains(why), "{why} is not in\n{told}");
    }
    let given = "parameter.to = { summary = \"where\", default = \"beta\" }";
    assert!(read(&approved(&runbook("x", &format!("{abort}\n{given}")))).is_ok());
}

#[test]
fn known_failures_are_named_and_those_of_the_service_have_words() {
    let text = approved(
        r#"[service.web.known.Odd_One]
words = ["x"]
[service.web.known.wordless]
say = "Look."
[service.web.known.any]
words = []
tells = "x"
[service.web.runbook.go]
[[service.web.runbook.go.step]]
name = "build"
kind = "codebuild"
project = "p"
known = { role-exist = "ask", record-exists = "retry", role-exists = { remedy = "none" } }
[[service.web.runbook.go.step]]
name = "again"
kind = "codebuild"
project = "p"
known = "role-exists"
"#,
    );
    insta::assert_snapshot!(complaints(&text), @r#"
    signalbox.toml:8: service.web.known.Odd_One: `Odd_One` is no name of a failure: write lower-case letters, digits and dashes
    signalbox.toml:10: service.web.known.wordless: `words` is missing: add `words = ["…"]`, what it is told by
    signalbox.toml:13: service.web.known.any.words: is empty and would fit every failure: say what it is told by
    signalbox.toml:14: service.web.known.any.tells: is no key of this table. Known here: title, say, words
    signalbox.toml:16: service.web.runbook.go.step: `none` is no remedy: add a step of that name with `remedy = true`
    signalbox.toml:20: service.web.runbook.go.step.known.record-exists: does not say what is done: write `"go_on"`, `"ask"`, or `{ remedy = "STEP" }`
    signalbox.toml:20: service.web.runbook.go.step.known.role-exist: is no known failure. Did you mean `role-exists`? There are: validation-record-exists, record-exists, role-exists, websocket-403, edge-first-hour, no-such-key, state-locked, credentials-expired, access-denied, Odd_One, wordless, any; the service adds its own as tables `known.NAME`
    signalbox.toml:25: service.web.runbook.go.step.known: is a string: write a table, such as `{ key = "value" }`
    "#);
}

/// What would otherwise show in the middle of a run.
#[test]
fn steps_that_would_be_left_out_or_get_stuck() {
    let step = |name: &str, keys: &str| format!("[[service.web.runbook.x.step]]\nname = \"{name}\"\n{keys}\n");
    let one = |keys: &str| complaints(&approved(&step("one", keys)));
    let wait = "kind = \"wait\"\nfor = \"1m\"";
    let parameter = "[service.web.runbook.x]\nparameter.when = { choices = [\"before\", \"after\"] }\n";
    let when = |when: &str| {
        complaints(&approved(&format!(
            "{parameter}{}",
            step("one", &format!("{wait}\nwhen = {when}"))
        )))
    };
    insta::assert_snapshot!(when("{ value = \"{parameter.when}\", is = \"befor\" }"), @"signalbox.toml:10: service.web.runbook.x.step: its `when` compares `when` with `befor`, which is none of its choices: before, after. Did you mean `before`?");
    insta::assert_snapshot!(when("{ value = \"{parameter.when}\", is = \"before\", is_not = \"after\" }"), @"signalbox.toml:14: service.web.runbook.x.step.when: compares with two things or with none: write either `is` or `is_not`");
    let flag = step("color", "kind = \"flag\"\nparameter = \"/color\"");
    let reads = |what: &str| {
        complaints(&approved(&format!(
            "{flag}{}",
            step("say", &format!("kind = \"announce\"\ntext = \"{what}\""))
        )))
    };
    insta::assert_snapshot!(reads("now {step.color.other}"), @"signalbox.toml:12: service.web.runbook.x.step: `{step.color.other}` will stand for nothing: the step `color` finds value");
    insta::assert_snapshot!(reads("now {step.color.value"), @"signalbox.toml:12: service.web.runbook.x.step: `now {step.color.value` opens a placeholder and does not close it: write `}` behind its name, or `{{` for a brace");
    insta::assert_snapshot!(one(&format!("{wait}\nregion = \"west\"")), @"signalbox.toml:12: service.web.runbook.x.step.region: `west` is not an AWS region: write one such as `eu-central-1`");
    insta::assert_snapshot!(one("kind = \"codebuild\"\nproject = \"p\"\nusual = \"2h\""), @"signalbox.toml:8: service.web.runbook.x.step: usually takes 2 h, but counts as failed after 1 h: write a longer `deadline`");
    insta::assert_snapshot!(one("kind = \"codebuild\"\nproject = \"p\"\nvariables = { SIGNALBOX_RUN = \"1\" }"), @"signalbox.toml:8: service.web.runbook.x.step: `SIGNALBOX_RUN` is what a build is found again by: give the variable another name");
    // A key that is wrong is named itself, and one step that cannot be read is no reason to complain of those that name it.
    let snapshot = step("save", "kind = \"snapshot\"\ninstance = \"db\"\nyonger = \"3h\"");
    let build = step(
        "build",
        "kind = \"codebuild\"\nproject = \"{step.save.id}\"\nneeds_snapshot = { step = \"save\", younger = \"3h\" }",
    );
    insta::assert_snapshot!(complaints(&approved(&format!("{snapshot}{build}"))), @"signalbox.toml:12: service.web.runbook.x.step.yonger: this is no step of kind `snapshot`: unknown field `yonger`, expected one of `instance`, `cluster`, `younger`. Did you mean `younger`?");
}

/// A key that nobody knows is named with what was probably meant, of its own kind and of every step.
#[test]
fn misspelled_keys_of_steps() {
    let text = approved(
        r#"[service.web.runbook.go]
[[service.web.runbook.go.step]]
name = "drain"
kind = "queue_drain"
queues = ["q"]
dedline = "2h"
[[service.web.runbook.go.step]]
name = "build"
kind = "codebuild"
project = "p"
undo = { projct = "q" }
"#,
    );
    insta::assert_snapshot!(complaints(&text), @r"
    signalbox.toml:13: service.web.runbook.go.step.dedline: this is no step of kind `queue_drain`: unknown field `dedline`, expected one of `queues`, `failures`, `errors`, `now`, `samples`, `every`. Did you mean `deadline`?
    signalbox.toml:18: service.web.runbook.go.step.undo: this is no step of kind `codebuild`: unknown field `projct`, expected one of `project`, `source_version`, `variables`. Did you mean `project`?
    ");
}
