//! Where a build's commit comes from: the sandbox's GitHub, when it knows the project's repository.

use serde_json::Value;

use super::DEFAULT_REF;
use crate::aws::place::Place;
use crate::world::World;

/// Looks up what a build is about to be started of, and tells the project. The lock of the account is let go before that of GitHub is taken.
pub(crate) fn learn_commit(world: &World, place: &Place, arguments: &Value) {
    let name = arguments["projectName"].as_str().unwrap_or_default();
    let asked = arguments["sourceVersion"].as_str();
    let location = {
        let mut account = world.aws();
        let project = account.region(place).builds.projects.get(name);
        project.map(|project| project.repository.clone())
    };
    let Some(location) = location else { return };
    let slug = location
        .trim_start_matches("https://github.com/")
        .trim_end_matches(".git");
    let commit = {
        let github = world.github();
        let repository = github.repository(slug);
        repository.and_then(|repository| {
            let commit = repository.resolve(asked.unwrap_or(&repository.default_branch))?;
            Some(commit.sha.clone())
        })
    };
    if let Some(commit) = commit
        && let Some(project) = world.aws().region(place).builds.projects.get_mut(name)
    {
        project.commits.insert(asked.unwrap_or(DEFAULT_REF).to_owned(), commit);
    }
}
