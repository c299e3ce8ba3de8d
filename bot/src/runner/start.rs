//! What a bot does first: every pipeline of the configuration gets its watch, every service its worker.

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::decision::{Change, Decision};
use commands::facts::Needs;
use commands::ids::RecordId;
use commands::reason::Reason;
use commands::watch::{Event, Watch};

use super::commit::{Cause, REMEMBER_REPORT};
use super::decide::{Matter, Trouble};
use super::engine::Engine;
use crate::aws::events::Hint;

impl Engine {
    /// Makes sure that every pipeline is watched. A watch that is there already looks at once: something may have happened meanwhile.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn watch_pipelines(self: &Arc<Self>) -> Result<(), Trouble> {
        for service in self.catalog.services.values() {
            for site in service.pipelines().into_keys() {
                let id = RecordId::watch(&site);
                let matter = Matter {
                    service,
                    needs: Needs::default(),
                    records: vec![id.clone()],
                    delivery: None,
                    people: BTreeSet::new(),
                    cause: Cause {
                        id: format!("start:{}:{}", id, self.ids.reference()),
                        actor: "signalbox",
                        channel: "",
                        remember: REMEMBER_REPORT,
                    },
                    finish: None,
                };
                let decide = |facts: &commands::facts::Facts<'_>, known: Option<&Watch>| {
                    let events = if known.is_some() {
                        Vec::new()
                    } else {
                        vec![(Event::Started, Reason::Progress)]
                    };
                    let watch = known.cloned().unwrap_or_else(|| Watch::new(site.clone()));
                    Ok(Decision {
                        changes: vec![Change::Watch {
                            id: id.clone(),
                            watch,
                            events,
                            next_wake: Some(facts.now),
                        }],
                        ..Decision::default()
                    })
                };
                self.settle(matter, |_| {}, decide).await?;
            }
        }
        Ok(())
    }

    /// Starts the workers and the sealer.
    pub fn start(self: &Arc<Self>) {
        for slot in self.catalog.services.keys() {
            self.tasks.spawn(Arc::clone(self).work(slot.clone()));
        }
        if let Some(sink) = &self.seals {
            self.tasks.spawn(Arc::clone(self).seal(Arc::clone(sink)));
        }
    }

    /// Looks now at every pipeline that a hint can mean.
    pub async fn look_at(self: &Arc<Self>, hint: &Hint) {
        let (region, account) = (hint.region.as_deref(), hint.account.as_deref());
        let pipeline = hint.pipeline.as_str();
        let sites = self.catalog.services.values().flat_map(|service| {
            let sites = service.pipelines().into_keys();
            sites.map(move |site| (service, site))
        });
        for (service, site) in sites.filter(|(_, site)| site.fits(pipeline, region, account)) {
            let id = RecordId::watch(&site);
            let matter = Matter {
                service,
                needs: Needs {
                    every_open: true,
                    ..Needs::default()
                },
                cause: Cause {
                    id: format!("hint:{id}:{}", self.ids.reference()),
                    actor: "aws",
                    channel: "",
                    remember: REMEMBER_REPORT,
                },
                records: vec![id],
                delivery: None,
                people: BTreeSet::new(),
                finish: None,
            };
            let pace = self.pace(service);
            let decide = |facts: &commands::facts::Facts<'_>, watch: Option<&Watch>| {
                Ok(watch.map_or_else(Decision::default, |watch| commands::wake::watch(facts, watch, pace)))
            };
            if let Err(trouble) = self.settle(matter, |_| {}, decide).await {
                tracing::warn!(
                    pipeline,
                    ?trouble,
                    "a hint was lost; the watch looks by itself before long"
                );
            }
        }
    }
}
