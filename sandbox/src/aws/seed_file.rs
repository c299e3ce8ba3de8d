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
use super::sqs::QueueSeed;
use super::ssm::ParameterSeed;

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
    zone: Vec<ZoneSeed>,
    user: Vec<String>,
    alarm: Vec<String>,
}

/// A file of resources.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedFile {
    place: Vec<Seed>,
}

impl SeedFile {
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
    /// Plants what a file says.
    pub fn plant_file(&mut self, file: &SeedFile) {
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
        for name in &seed.alarm {
            self.set_alarm(name, "OK", "Threshold not crossed: no errors in the last 5 minutes");
        }
    }
}
