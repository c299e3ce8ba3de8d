//! Resources as data: what `--aws-seed FILE` reads and `{"seed": …}` plants. `docs/sandbox-aws.md` shows the format.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::account::Account;
use super::apigateway::{ApiSeed, BasePathSeed};
use super::codebuild::ProjectSeed;
use super::commands::InstanceSeed;
use super::dynamodb::TableSeed;
use super::lambda::{FunctionSeed, MappingSeed};
use super::logs::GroupSeed;
use super::metrics::Measured;
use super::opensearch::SearchSeed;
use super::place::Place;
use super::posture::{Certificate, Group, RepositorySeed};
use super::rds::DatabaseSeed;
use super::route53::ZoneSeed;
use super::rules::RuleSeed;
use super::s3_buckets::BucketSeed;
use super::secrets::SecretSeed;
use super::sites::SiteSeed;
use super::sqs::QueueSeed;
use super::ssm::ParameterSeed;
use crate::github::CommitSeed;
use crate::world::World;

/// Resources of one place, in the order in which they are planted. Without an account or region: those of whoever plants them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Seed {
    account: Option<String>,
    region: Option<String>,
    table: Vec<TableSeed>,
    queue: Vec<QueueSeed>,
    function: Vec<FunctionSeed>,
    event_source: Vec<MappingSeed>,
    parameter: Vec<ParameterSeed>,
    secret: Vec<SecretSeed>,
    project: Vec<ProjectSeed>,
    log_group: Vec<GroupSeed>,
    metric: Vec<Measured>,
    rule: Vec<RuleSeed>,
    api: Vec<ApiSeed>,
    base_path: Vec<BasePathSeed>,
    database: Vec<DatabaseSeed>,
    search: Vec<SearchSeed>,
    instance: Vec<InstanceSeed>,
    security_group: Vec<Group>,
    certificate: Vec<Certificate>,
    repository: Vec<RepositorySeed>,
    bucket: Vec<BucketSeed>,
    site: Vec<SiteSeed>,
    zone: Vec<ZoneSeed>,
    user: Vec<String>,
    alarm: Vec<String>,
}

/// A file of resources.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedFile {
    #[serde(default)]
    place: Vec<Seed>,
    /// What has been committed before anything happens, oldest first.
    #[serde(default)]
    commit: Vec<CommitSeed>,
}

impl SeedFile {
    /// Plants what the file says.
    pub fn plant(&self, world: &World) {
        let now_ms = world.clock.now_ms();
        for commit in &self.commit {
            world.github().plant(commit, now_ms);
        }
        world.aws().plant_file(self);
    }

    /// Reads a TOML file, or JSON when its name ends so.
    ///
    /// # Errors
    /// The file cannot be read, or says what is not understood.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let json = path.extension().is_some_and(|extension| extension == "json");
        let parsed = if json {
            serde_json::from_str(&text).map_err(anyhow::Error::from)
        } else {
            toml::from_str(&text).map_err(anyhow::Error::from)
        };
        parsed.with_context(|| format!("{} is not a file of resources", path.display()))
    }
}

impl Account {
    /// Plants the resources of a file.
    pub(crate) fn plant_file(&mut self, file: &SeedFile) {
        let home = Place::home();
        for seed in &file.place {
            self.plant(&home, seed);
        }
        self.changes += 1;
    }

    /// Plants resources; those of the same name are replaced.
    pub(crate) fn plant(&mut self, here: &Place, seed: &Seed) {
        let place = Place::new(
            seed.account.as_deref().unwrap_or(&here.account),
            seed.region.as_deref().unwrap_or(&here.region),
        );
        let region = self.region(&place);
        seed.table.iter().for_each(|table| region.plant_table(table));
        seed.queue.iter().for_each(|queue| region.plant_queue(queue));
        seed.function
            .iter()
            .for_each(|function| region.plant_function(function));
        seed.event_source
            .iter()
            .for_each(|mapping| region.plant_mapping(mapping));
        seed.parameter
            .iter()
            .for_each(|parameter| region.plant_parameter(parameter));
        seed.secret.iter().for_each(|secret| region.plant_secret(secret));
        seed.project.iter().for_each(|project| region.plant_project(project));
        seed.log_group.iter().for_each(|group| region.plant_log_group(group));
        seed.metric.iter().for_each(|metric| region.plant_metric(metric));
        seed.rule.iter().for_each(|rule| region.plant_rule(rule));
        seed.api.iter().for_each(|api| region.plant_api(api));
        seed.base_path.iter().for_each(|path| region.plant_base_path(path));
        seed.database
            .iter()
            .for_each(|database| region.plant_database(database));
        seed.search.iter().for_each(|domain| region.plant_search(domain));
        seed.instance
            .iter()
            .for_each(|instance| region.plant_instance(instance));
        seed.security_group.iter().for_each(|group| region.plant_group(group));
        seed.certificate
            .iter()
            .for_each(|certificate| region.plant_certificate(certificate));
        seed.repository
            .iter()
            .for_each(|repository| region.plant_repository(repository));
        let global = self.region(&place.global());
        seed.zone.iter().for_each(|zone| global.plant_zone(zone));
        seed.user.iter().for_each(|user| global.plant_user(user));
        let now_ms = self.now_ms;
        seed.bucket.iter().for_each(|bucket| self.bucket.plant(bucket, now_ms));
        seed.site.iter().for_each(|site| self.sites.plant(site));
        for name in &seed.alarm {
            self.set_alarm(name, "OK", "Threshold not crossed: no errors in the last 5 minutes");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::args::Args;
    use crate::aws::codebuild;
    use crate::aws::service::Request;
    use crate::aws::sts::Caller;

    fn planted(name: &str) -> Account {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let mut account = Account::empty(1_795_269_600_000);
        account.plant_file(&SeedFile::read(&path).unwrap());
        account
    }

    fn build(account: &mut Account, project: &str, seconds: i64) {
        let args = json!({"projectName": project, "sourceVersion": "staging"});
        let request = Request {
            operation: "StartBuild",
            args: Args(&args),
            caller: &Caller::default(),
            place: Place::new("111122223333", "us-east-1"),
            endpoint: "",
        };
        (codebuild::SERVICE.call)(account, &request).unwrap().unwrap();
        account.advance(account.now_ms + seconds * 1000);
    }

    /// How many segments are visible, in flight and delayed.
    fn segments(account: &mut Account) -> Option<(usize, usize, usize)> {
        let region = account.region(&Place::new("111122223333", "us-east-1"));
        let queue = region.queues.queues.get("migration_segments_queue_stg")?;
        Some(queue.counts(region.now_ms))
    }

    #[test]
    fn every_file_that_comes_with_the_sandbox_can_be_planted() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let account = planted(&name);
            let shown = crate::aws::snapshot(&account);
            assert!(
                shown["places"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|place| place["projects"][0].is_object()),
                "{name}"
            );
            count += 1;
        }
        assert_eq!(count, 3);
    }

    #[test]
    fn a_migration_runs_through_the_account_of_ef_cms() {
        let mut account = planted("ef-cms.toml");
        let east = Place::new("111122223333", "us-east-1");
        assert_eq!(account.region(&east).lambda.functions.len(), 22);
        build(&mut account, "ef-cms-deploy-migration", 180);
        assert_eq!(segments(&mut account), Some((0, 0, 0)));
        build(&mut account, "ef-cms-start-migration", 60);
        let (visible, in_flight, _) = segments(&mut account).unwrap();
        assert!(visible > 300 && in_flight == 25, "{visible} {in_flight}");
        account.advance(account.now_ms + 300_000);
        assert_eq!(segments(&mut account), Some((0, 0, 0)));
        build(&mut account, "ef-cms-switch-ui", 240);
        let sites = json!(account.sites.snapshot()).to_string();
        assert!(
            sites.contains(r#"content=\"green\""#) && !sites.contains(r#"content=\"blue\""#),
            "{sites}"
        );
        build(&mut account, "ef-cms-destroy-migration", 120);
        assert_eq!(segments(&mut account), None);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_its_name() {
        let wrong = |text: &str| toml::from_str::<SeedFile>(text).unwrap_err().to_string();
        assert!(wrong("[[place]]\n[[place.tabel]]\nname = \"x\"").contains("unknown field `tabel`"));
        assert!(wrong("[[place]]\n[[place.queue]]\nname = \"x\"\nmesages = 3").contains("unknown field `mesages`"));
        let project = "[[place]]\n[[place.project]]\nname = \"x\"\nplan = { effects = [{ sqs = { empty = {} } }] }";
        assert!(wrong(project).contains("unknown variant `empty`"));
        let value: Result<SeedFile, _> = serde_json::from_value(json!({"place": [{"secret": [{"name": "x"}]}]}));
        assert!(value.unwrap_err().to_string().contains("missing field `text`"));
    }
}
