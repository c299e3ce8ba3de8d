//! API Gateway: which API a domain's paths lead to, through both versions of its API.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::page;
use super::region::Region;
use super::service::{Meant, Request, Rest, RestDialect, Service};
use super::value::structure;

/// API Gateway on the wire.
pub(crate) const SERVICE: Service = Service {
    target: "",
    query: None,
    rest: Some(RestDialect {
        scope: "apigateway",
        namespace: "",
        route,
    }),
    call,
};

const ANY: Rule = Rule::length(0, usize::MAX);
/// How the first version calls the path without a name.
const ROOT: &str = "(none)";

/// Where a path of a domain leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    id: String,
    /// The path; empty for all of the domain.
    path: String,
    api: String,
    stage: String,
}

/// The domains and APIs of a region.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    /// The name and the stages of each API.
    apis: BTreeMap<String, (String, Vec<String>)>,
    domains: BTreeMap<String, Vec<Mapping>>,
}

impl Gateway {
    /// The mappings as the page shows them.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let all = self.domains.iter().flat_map(|(domain, mappings)| {
            mappings
                .iter()
                .map(move |one| json!({"domain": domain, "path": one.path, "api": one.api, "stage": one.stage}))
        });
        all.collect()
    }

    fn find(&mut self, domain: &str, fits: impl Fn(&Mapping) -> bool, what: &str) -> Result<&mut Mapping, AwsError> {
        let mappings = self.domains.get_mut(domain).ok_or_else(no_domain)?;
        let found = mappings.iter_mut().find(|mapping| fits(mapping));
        found.ok_or_else(|| AwsError::missing("NotFoundException", format!("Invalid {what} identifier specified")))
    }

    /// A mapping may only lead to a stage that is there.
    fn check(&self, api: &str, stage: &str) -> Result<(), AwsError> {
        let (_, stages) = self
            .apis
            .get(api)
            .ok_or_else(|| bad("Invalid REST API identifier specified"))?;
        if stages.iter().any(|known| known == stage) {
            Ok(())
        } else {
            Err(bad("Invalid stage identifier specified"))
        }
    }
}

fn bad(message: impl Into<String>) -> AwsError {
    AwsError::new("BadRequestException", message).with_status(StatusCode::BAD_REQUEST)
}

fn no_domain() -> AwsError {
    AwsError::missing("NotFoundException", "Invalid domain name identifier specified")
}

fn route(rest: &Rest<'_>) -> Option<Meant> {
    let path: Vec<&str> = rest.path.iter().map(String::as_str).collect();
    let (get, patch) = (*rest.method == Method::GET, *rest.method == Method::PATCH);
    let page = |token: &str, size: &str| json!({"token": rest.parameter(token), "size": rest.parameter(size)});
    let body = |known: Value| -> Result<Value, AwsError> {
        let mut arguments = rest.json()?;
        if let (Some(arguments), Value::Object(known)) = (arguments.as_object_mut(), known) {
            arguments.extend(known);
        }
        Ok(arguments)
    };
    let named =
        |name: &'static str, arguments: Result<Value, AwsError>| Some(arguments.map(|arguments| (name, arguments)));
    let with_page = |known: Value, page: Value| {
        let mut all = known;
        all["page"] = page;
        Ok(all)
    };
    match path.as_slice() {
        ["restapis"] if get => named("GetRestApis", with_page(json!({}), page("position", "limit"))),
        ["v2", "apis"] if get => named("GetApis", with_page(json!({}), page("nextToken", "maxResults"))),
        ["domainnames", domain, "basepathmappings"] if get => {
            let known = with_page(json!({ "domain": domain }), page("position", "limit"));
            named("GetBasePathMappings", known)
        }
        ["domainnames", domain, "basepathmappings", base] if get => {
            named("GetBasePathMapping", Ok(json!({"domain": domain, "base": base})))
        }
        ["domainnames", domain, "basepathmappings", base] if patch => {
            named("UpdateBasePathMapping", body(json!({"domain": domain, "base": base})))
        }
        ["v2", "domainnames", domain, "apimappings"] if get => {
            let known = with_page(json!({ "domain": domain }), page("nextToken", "maxResults"));
            named("GetApiMappings", known)
        }
        ["v2", "domainnames", domain, "apimappings", id] if get => {
            named("GetApiMapping", Ok(json!({"domain": domain, "id": id})))
        }
        ["v2", "domainnames", domain, "apimappings", id] if patch => {
            named("UpdateApiMapping", body(json!({"domain": domain, "id": id})))
        }
        _ => None,
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let gateway = &mut account.region(&request.place).gateway;
    Some(match request.operation {
        "GetRestApis" => apis(gateway, args, ("item", "position"), "id"),
        "GetApis" => apis(gateway, args, ("items", "nextToken"), "apiId"),
        "GetBasePathMapping" => by_base(gateway, args).map(|mapping| first_version(mapping)),
        "GetBasePathMappings" => list(gateway, args, ("item", "position"), first_version),
        "UpdateBasePathMapping" => update_base(gateway, args),
        "GetApiMapping" => by_id(gateway, args).map(|mapping| second_version(mapping)),
        "GetApiMappings" => list(gateway, args, ("items", "nextToken"), second_version),
        "UpdateApiMapping" => update_mapping(gateway, args),
        _ => return None,
    })
}

fn by_base<'a>(gateway: &'a mut Gateway, args: Args<'_>) -> Result<&'a mut Mapping, AwsError> {
    let base = args.need("base", &ANY)?;
    let path = if base == ROOT { "" } else { base };
    gateway.find(
        args.need("domain", &ANY)?,
        |mapping| mapping.path == path,
        "base path mapping",
    )
}

fn by_id<'a>(gateway: &'a mut Gateway, args: Args<'_>) -> Result<&'a mut Mapping, AwsError> {
    let id = args.need("id", &ANY)?;
    gateway.find(args.need("domain", &ANY)?, |mapping| mapping.id == id, "ApiMapping")
}

fn first_version(mapping: &Mapping) -> Value {
    let base = if mapping.path.is_empty() { ROOT } else { &mapping.path };
    json!({"basePath": base, "restApiId": mapping.api, "stage": mapping.stage})
}

fn second_version(mapping: &Mapping) -> Value {
    json!({"apiId": mapping.api, "apiMappingId": mapping.id, "apiMappingKey": mapping.path, "stage": mapping.stage})
}

/// All APIs in pages: each version shows them all, for the sandbox's are of both.
fn apis(gateway: &Gateway, args: Args<'_>, (member, token): (&str, &str), id: &str) -> Result<Value, AwsError> {
    let page = args.structure("page")?.unwrap_or(args);
    let size = page.number("size", 1, 500)?.unwrap_or(25);
    let all: Vec<(&String, &(String, Vec<String>))> = gateway.apis.iter().collect();
    let found = page::forward(&all, size, page.text("token", &ANY)?);
    let (apis, next) = found.ok_or_else(|| bad("Invalid position parameter specified"))?;
    let shown = apis
        .into_iter()
        .map(|(own, (name, _))| json!({ (id): own, "name": name }));
    Ok(structure([
        (member, Some(shown.collect())),
        (token, next.map(Value::from)),
    ]))
}

fn list(
    gateway: &Gateway,
    args: Args<'_>,
    (member, token): (&str, &str),
    render: fn(&Mapping) -> Value,
) -> Result<Value, AwsError> {
    let mappings = gateway.domains.get(args.need("domain", &ANY)?).ok_or_else(no_domain)?;
    let page = args.structure("page")?.unwrap_or(args);
    let size = page.number("size", 1, 500)?.unwrap_or(25);
    let found = page::forward(mappings, size, page.text("token", &ANY)?);
    let (mappings, next) = found.ok_or_else(|| bad("Invalid position parameter specified"))?;
    Ok(structure([
        (member, Some(mappings.into_iter().map(render).collect())),
        (token, next.map(Value::from)),
    ]))
}

/// All operations of a patch, or none.
fn update_base(gateway: &mut Gateway, args: Args<'_>) -> Result<Value, AwsError> {
    let mut changed = by_base(gateway, args)?.clone();
    for operation in args.list("patchOperations")? {
        let operation = Args(operation);
        let (op, path) = (operation.need("op", &ANY)?, operation.need("path", &ANY)?);
        let value = operation.text("value", &ANY)?.unwrap_or_default();
        let field = match path {
            "/restapiId" => &mut changed.api,
            "/stage" => &mut changed.stage,
            "/basePath" => &mut changed.path,
            _ => {
                let message = format!(
                    "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [/basePath, /restapiId, /stage]"
                );
                return Err(bad(message));
            }
        };
        if op != "replace" {
            return Err(bad(format!(
                "Invalid patch operation specified. Must be one of: [replace], not {op}"
            )));
        }
        (if path == "/basePath" && value == ROOT {
            ""
        } else {
            value
        })
        .clone_into(field);
    }
    gateway.check(&changed.api, &changed.stage)?;
    let mapping = by_base(gateway, args)?;
    *mapping = changed;
    Ok(first_version(mapping))
}

fn update_mapping(gateway: &mut Gateway, args: Args<'_>) -> Result<Value, AwsError> {
    let mut changed = by_id(gateway, args)?.clone();
    for (member, field) in [
        ("apiId", &mut changed.api),
        ("stage", &mut changed.stage),
        ("apiMappingKey", &mut changed.path),
    ] {
        if let Some(value) = args.text(member, &ANY)? {
            value.clone_into(field);
        }
    }
    gateway.check(&changed.api, &changed.stage)?;
    let mapping = by_id(gateway, args)?;
    *mapping = changed;
    Ok(second_version(mapping))
}

/// An API that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiSeed {
    id: String,
    /// Its name, which others may have as well; its id when nothing is said.
    #[serde(default)]
    name: Option<String>,
    stages: Vec<String>,
}

/// Where a path of a domain leads from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasePathSeed {
    domain: String,
    #[serde(default)]
    path: String,
    api: String,
    stage: String,
}

impl Region {
    /// Adds an API, or replaces its stages.
    pub(crate) fn plant_api(&mut self, seed: &ApiSeed) {
        let name = seed.name.clone().unwrap_or_else(|| seed.id.clone());
        self.gateway.apis.insert(seed.id.clone(), (name, seed.stages.clone()));
    }

    /// Points a path of a domain to an API: the effect of a team's own switch as well.
    pub(crate) fn plant_base_path(&mut self, seed: &BasePathSeed) {
        let mappings = self.gateway.domains.entry(seed.domain.clone()).or_default();
        let number = mappings.len() + 1;
        let known = mappings.iter().position(|mapping| mapping.path == seed.path);
        let mapping = Mapping {
            id: known.map_or_else(|| format!("m{number:05}"), |at| mappings[at].id.clone()),
            path: seed.path.clone(),
            api: seed.api.clone(),
            stage: seed.stage.clone(),
        };
        match known {
            Some(at) => mappings[at] = mapping,
            None => mappings.push(mapping),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    fn region() -> Region {
        let mut region = Region::new(Place::home(), 0);
        for id in ["blue1", "green1"] {
            region.plant_api(&serde_json::from_value(json!({"id": id, "stages": ["prod"]})).unwrap());
        }
        let seed = json!({"domain": "api.example.org", "api": "blue1", "stage": "prod"});
        region.plant_base_path(&serde_json::from_value(seed).unwrap());
        region
    }

    fn patch(region: &mut Region, operations: Value) -> Result<Value, String> {
        let args = json!({"domain": "api.example.org", "base": "(none)", "patchOperations": operations});
        update_base(&mut region.gateway, Args(&args)).map_err(|error| error.message)
    }

    #[test]
    fn a_patch_is_carried_out_as_a_whole_or_not_at_all() {
        let mut region = region();
        let to = |api: &str, stage: &str| json!([{"op": "replace", "path": "/restapiId", "value": api}, {"op": "replace", "path": "/stage", "value": stage}]);
        assert_eq!(
            patch(&mut region, to("green1", "dev")).unwrap_err(),
            "Invalid stage identifier specified"
        );
        assert_eq!(
            patch(&mut region, to("none", "prod")).unwrap_err(),
            "Invalid REST API identifier specified"
        );
        assert!(patch(&mut region, json!([{"op": "remove", "path": "/stage"}])).is_err());
        assert_eq!(region.gateway.snapshot()[0]["api"], "blue1", "nothing has changed yet");
        assert_eq!(patch(&mut region, to("green1", "prod")).unwrap()["restApiId"], "green1");
    }

    #[test]
    fn apis_are_listed_in_pages_and_may_share_a_name() {
        let mut region = region();
        let seed = json!({"id": "other1", "name": "blue1", "stages": []});
        region.plant_api(&serde_json::from_value(seed).unwrap());
        let first = json!({"page": {"size": "2", "token": null}});
        let page = apis(&region.gateway, Args(&first), ("item", "position"), "id").unwrap();
        assert_eq!(
            page["item"],
            json!([{"id": "blue1", "name": "blue1"}, {"id": "green1", "name": "green1"}])
        );
        let second = json!({"page": {"size": "2", "token": page["position"]}});
        let page = apis(&region.gateway, Args(&second), ("items", "nextToken"), "apiId").unwrap();
        assert_eq!(page, json!({"items": [{"apiId": "other1", "name": "blue1"}]}));
    }

    #[test]
    fn both_versions_see_the_same_mappings() {
        let mut region = region();
        let args = json!({"domain": "api.example.org", "id": "m00001", "apiId": "green1"});
        update_mapping(&mut region.gateway, Args(&args)).unwrap();
        let args = json!({"domain": "api.example.org", "base": "(none)"});
        assert_eq!(
            first_version(by_base(&mut region.gateway, Args(&args)).unwrap())["restApiId"],
            "green1"
        );
        let args = json!({"domain": "api.example.org", "base": "none"});
        assert_eq!(
            by_base(&mut region.gateway, Args(&args)).unwrap_err().code,
            "NotFoundException"
        );
    }
}
