//! What the posture of an account is judged by: security groups, users, certificates and images, as EC2, IAM, ACM and ECR tell of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::page;
use super::region::Region;
use super::service::{QueryDialect, Request, Service};
use super::value::{items, structure, timestamp};

const ANY: Rule = Rule::length(0, usize::MAX);

/// EC2 on the wire.
pub(crate) const EC2: Service = Service {
    target: "",
    query: Some(QueryDialect {
        version: "2016-11-15",
        namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
        ec2: true,
    }),
    rest: None,
    call: |account, request| {
        let region = account.region(&request.place);
        (request.operation == "DescribeSecurityGroups").then(|| describe_groups(region, request.args))
    },
};

/// IAM on the wire.
pub(crate) const IAM: Service = Service {
    target: "",
    query: Some(QueryDialect {
        version: "2010-05-08",
        namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
        ec2: false,
    }),
    rest: None,
    call: |account, request| (request.operation == "GetUser").then(|| get_user(account, request)),
};

/// ACM on the wire.
pub(crate) const ACM: Service = Service::json("CertificateManager", |account, request| {
    let region = account.region(&request.place);
    (request.operation == "DescribeCertificate").then(|| describe_certificate(region, request.args))
});

/// ECR on the wire.
pub(crate) const ECR: Service = Service::json("AmazonEC2ContainerRegistry_V20150921", |account, request| {
    let region = account.region(&request.place);
    (request.operation == "DescribeImages").then(|| describe_images(region, request.args))
});

/// A rule of a security group that lets somebody in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ingress {
    #[serde(default = "tcp")]
    protocol: String,
    from: i64,
    to: i64,
    #[serde(default)]
    cidrs: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

fn tcp() -> String {
    "tcp".to_owned()
}

/// A security group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    id: String,
    name: String,
    #[serde(default)]
    vpc: String,
    #[serde(default)]
    ingress: Vec<Ingress>,
}

/// A certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificate {
    /// The last part of its ARN.
    id: String,
    domain: String,
    #[serde(default = "issued")]
    status: String,
    #[serde(default = "year")]
    expires_in_days: i64,
    #[serde(skip)]
    created_ms: i64,
}

fn issued() -> String {
    "ISSUED".to_owned()
}

const fn year() -> i64 {
    365
}

/// An image of a repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Image {
    digest: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    hours_ago: i64,
    #[serde(skip)]
    pushed_ms: i64,
}

/// A repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepositorySeed {
    name: String,
    #[serde(default)]
    image: Vec<Image>,
}

/// What the posture of a region is judged by. Users are in the region without a name.
#[derive(Debug, Default)]
pub(crate) struct Posture {
    groups: BTreeMap<String, Group>,
    users: BTreeMap<String, i64>,
    certificates: BTreeMap<String, Certificate>,
    repositories: BTreeMap<String, Vec<Image>>,
}

impl Region {
    /// Adds a security group, or replaces the one of the same id.
    pub(crate) fn plant_group(&mut self, seed: &Group) {
        self.posture.groups.insert(seed.id.clone(), seed.clone());
    }

    /// Adds a user.
    pub(crate) fn plant_user(&mut self, name: &str) {
        self.posture.users.insert(name.to_owned(), self.now_ms);
    }

    /// Adds a certificate, or replaces the one of the same id.
    pub(crate) fn plant_certificate(&mut self, seed: &Certificate) {
        let certificate = Certificate {
            created_ms: self.now_ms,
            ..seed.clone()
        };
        self.posture.certificates.insert(seed.id.clone(), certificate);
    }

    /// Adds a repository, or replaces its images.
    pub(crate) fn plant_repository(&mut self, seed: &RepositorySeed) {
        let images = seed.image.iter().map(|image| Image {
            pushed_ms: self.now_ms - image.hours_ago * 3_600_000,
            ..image.clone()
        });
        self.posture.repositories.insert(seed.name.clone(), images.collect());
    }
}

fn describe_groups(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let ids = args.texts("GroupId")?;
    let names = args.texts("GroupName")?;
    if let Some(missing) = ids.iter().find(|id| !region.posture.groups.contains_key(**id)) {
        let message = format!("The security group '{missing}' does not exist");
        return Err(AwsError::new("InvalidGroup.NotFound", message));
    }
    let mut filters = Vec::new();
    for filter in args.list("Filter")? {
        let filter = Args(filter);
        let name = filter.need("Name", &ANY)?;
        if !["group-id", "group-name", "vpc-id"].contains(&name) {
            return Err(AwsError::new(
                "InvalidParameterValue",
                format!("The filter '{name}' is invalid"),
            ));
        }
        filters.push((name, filter.texts("Value")?));
    }
    let fits = |group: &&Group| {
        let passes = |(name, values): &(&str, Vec<&str>)| {
            let own = match *name {
                "group-id" => &group.id,
                "group-name" => &group.name,
                _ => &group.vpc,
            };
            values.contains(&own.as_str())
        };
        (ids.is_empty() || ids.contains(&group.id.as_str()))
            && (names.is_empty() || names.contains(&group.name.as_str()))
            && filters.iter().all(passes)
    };
    let groups: Vec<&Group> = region.posture.groups.values().filter(fits).collect();
    let size = args.number("MaxResults", 5, 1000)?.unwrap_or(1000);
    let bad_token = || AwsError::new("InvalidParameterValue", "Invalid value for parameter NextToken");
    let page = page::forward(&groups, size, args.text("NextToken", &ANY)?);
    let (groups, next) = page.ok_or_else(bad_token)?;
    let shown = groups.into_iter().map(|group| render_group(region, group)).collect();
    Ok(structure([
        ("securityGroupInfo", Some(items("item", shown))),
        ("nextToken", next.map(Value::from)),
    ]))
}

fn render_group(region: &Region, group: &Group) -> Value {
    let permissions = group.ingress.iter().map(|rule| {
        let ranges = rule.cidrs.iter().filter(|cidr| !cidr.contains(':'));
        let ranges6 = rule.cidrs.iter().filter(|cidr| cidr.contains(':'));
        let pairs = rule
            .groups
            .iter()
            .map(|id| json!({"groupId": id, "userId": region.place.account}));
        json!({
            "ipProtocol": rule.protocol,
            "fromPort": rule.from,
            "toPort": rule.to,
            "groups": items("item", pairs.collect()),
            "ipRanges": items("item", ranges.map(|cidr| json!({"cidrIp": cidr})).collect()),
            "ipv6Ranges": items("item", ranges6.map(|cidr| json!({"cidrIpv6": cidr})).collect()),
        })
    });
    json!({
        "ownerId": region.place.account,
        "groupId": group.id,
        "groupName": group.name,
        "groupDescription": group.name,
        "vpcId": group.vpc,
        "ipPermissions": items("item", permissions.collect()),
    })
}

fn get_user(account: &mut Account, request: &Request<'_>) -> Result<Value, AwsError> {
    let asked = request.args.text("UserName", &Rule::length(1, 128))?;
    let own = request.caller.arn.rsplit('/').next().unwrap_or_default();
    let name = asked.unwrap_or(own);
    let region = account.region(&request.place.global());
    let created = region.posture.users.get(name).copied();
    let created = created.or_else(|| (asked.is_none() || name == own).then_some(0));
    let missing = || AwsError::missing("NoSuchEntity", format!("The user with name {name} cannot be found."));
    let created_ms = created.ok_or_else(missing)?;
    Ok(json!({"User": {
        "Path": "/",
        "UserName": name,
        "UserId": "AIDASANDBOXUSER000001",
        "Arn": region.place.arn("iam", &format!("user/{name}")),
        "CreateDate": timestamp(created_ms),
    }}))
}

fn describe_certificate(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let arn = args.need("CertificateArn", &Rule::length(20, 2048))?;
    let id = arn.rsplit('/').next().unwrap_or_default();
    let missing = || {
        let message = format!("Could not find certificate {arn}.");
        AwsError::new("ResourceNotFoundException", message)
    };
    let found = region.posture.certificates.get(id);
    let found = found.filter(|_| arn == region.place.arn("acm", &format!("certificate/{id}")));
    let certificate = found.ok_or_else(missing)?;
    let issued = certificate.status == "ISSUED";
    let created_ms = certificate.created_ms;
    let validation = json!([{
        "DomainName": certificate.domain,
        "ValidationStatus": if issued { "SUCCESS" } else { "PENDING_VALIDATION" },
        "ValidationMethod": "DNS",
        "ResourceRecord": {"Name": format!("_{id}.{}.", certificate.domain), "Type": "CNAME", "Value": format!("_{id}.acm-validations.aws.")},
    }]);
    let shown = structure([
        ("CertificateArn", Some(json!(arn))),
        ("DomainName", Some(json!(certificate.domain))),
        ("SubjectAlternativeNames", Some(json!([certificate.domain]))),
        ("DomainValidationOptions", Some(validation)),
        ("CreatedAt", Some(timestamp(created_ms))),
        ("IssuedAt", issued.then(|| timestamp(created_ms))),
        ("Status", Some(json!(certificate.status))),
        ("NotBefore", issued.then(|| timestamp(created_ms))),
        (
            "NotAfter",
            issued.then(|| timestamp(created_ms + certificate.expires_in_days * 86_400_000)),
        ),
        ("KeyAlgorithm", Some(json!("RSA-2048"))),
        ("Type", Some(json!("AMAZON_ISSUED"))),
        ("RenewalEligibility", Some(json!("ELIGIBLE"))),
    ]);
    Ok(json!({ "Certificate": shown }))
}

fn describe_images(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("repositoryName", &Rule::length(2, 256))?;
    let registry = &region.place.account;
    let missing = || {
        let message = format!("The repository with name '{name}' does not exist in the registry with id '{registry}'");
        AwsError::new("RepositoryNotFoundException", message)
    };
    let images = region.posture.repositories.get(name).ok_or_else(missing)?;
    let asked = args.list("imageIds")?;
    let mut found: Vec<&Image> = Vec::new();
    for id in asked {
        let id = Args(id);
        let (tag, digest) = (id.text("imageTag", &ANY)?, id.text("imageDigest", &ANY)?);
        let fits = |image: &&Image| {
            tag.is_none_or(|tag| image.tags.iter().any(|known| known == tag))
                && digest.is_none_or(|digest| image.digest == digest)
        };
        let null = |text: Option<&str>| text.unwrap_or("null").to_owned();
        let none = || {
            let message = format!(
                "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{name}' in the registry with id '{registry}'",
                null(digest),
                null(tag)
            );
            AwsError::new("ImageNotFoundException", message)
        };
        found.push(images.iter().find(fits).ok_or_else(none)?);
    }
    if asked.is_empty() {
        found = images.iter().collect();
    }
    let size = args.number("maxResults", 1, 1000)?.unwrap_or(100);
    let bad_token = || AwsError::new("InvalidParameterException", "Invalid parameter at 'nextToken'");
    let page = page::forward(&found, size, args.text("nextToken", &ANY)?);
    let (found, next) = page.ok_or_else(bad_token)?;
    let shown = found.into_iter().map(|image| {
        json!({"registryId": registry, "repositoryName": name, "imageDigest": image.digest, "imageTags": image.tags,
            "imageSizeInBytes": 104_857_600, "imagePushedAt": timestamp(image.pushed_ms)})
    });
    Ok(structure([
        ("imageDetails", Some(shown.collect())),
        ("nextToken", next.map(Value::from)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    #[test]
    fn groups_are_found_by_what_is_asked_for_and_show_whom_they_let_in() {
        let mut region = Region::new(Place::home(), 0);
        for (id, name, cidr) in [("sg-1", "db", "10.0.0.0/8"), ("sg-2", "web", "::/0")] {
            let seed =
                json!({"id": id, "name": name, "vpc": "vpc-1", "ingress": [{"from": 443, "to": 443, "cidrs": [cidr]}]});
            region.plant_group(&serde_json::from_value(seed).unwrap());
        }
        let found = |region: &mut Region, args: Value| {
            let groups = describe_groups(region, Args(&args)).map_err(|error| error.code)?;
            Ok::<Value, String>(groups["securityGroupInfo"]["$item"].clone())
        };
        let web = found(
            &mut region,
            json!({"Filter": [{"Name": "group-name", "Value": ["web"]}]}),
        )
        .unwrap();
        assert_eq!(
            web[0]["ipPermissions"]["$item"][0]["ipv6Ranges"]["$item"][0]["cidrIpv6"],
            "::/0"
        );
        assert_eq!(
            found(&mut region, json!({"Filter": [{"Name": "vpc-id", "Value": ["vpc-1"]}]}))
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            found(&mut region, json!({"GroupId": ["sg-3"]})).unwrap_err(),
            "InvalidGroup.NotFound"
        );
        assert_eq!(
            found(&mut region, json!({"Filter": [{"Name": "color", "Value": ["x"]}]})).unwrap_err(),
            "InvalidParameterValue"
        );
    }

    #[test]
    fn an_image_that_is_asked_for_and_missing_is_an_error_and_not_an_empty_list() {
        let mut region = Region::new(Place::home(), 0);
        let seed = json!({"name": "app", "image": [{"digest": "sha256:1", "tags": ["v1", "latest"]}]});
        region.plant_repository(&serde_json::from_value(seed).unwrap());
        let ask = |region: &mut Region, tag: &str| {
            describe_images(
                region,
                Args(&json!({"repositoryName": "app", "imageIds": [{"imageTag": tag}]})),
            )
        };
        assert_eq!(
            ask(&mut region, "v1").unwrap()["imageDetails"][0]["imageDigest"],
            "sha256:1"
        );
        assert_eq!(ask(&mut region, "v2").unwrap_err().code, "ImageNotFoundException");
        let none = json!({"repositoryName": "none"});
        assert_eq!(
            describe_images(&mut region, Args(&none)).unwrap_err().code,
            "RepositoryNotFoundException"
        );
    }
}
