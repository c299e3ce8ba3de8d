//! The tables. Figures are the median over the rounds, with the least and the most behind it; a ratio is always of medians.

use std::fmt::Write as _;

use super::servers::Side;
use super::stats::{Sample, Spread};

/// What one start of one server gave.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Which server.
    pub side: Side,
    /// How many finished runs were stored.
    pub stored: usize,
    /// From exec to ready, in milliseconds.
    pub ready: f64,
    /// Resident memory after all phases of reading, in mebibytes.
    pub reading: f64,
    /// Resident memory after all phases of clicks as well, which leave thousands of open runs.
    pub voting: f64,
    /// Clicks that were acknowledged, and whose speaker was told that nothing was recorded.
    pub refused: usize,
    /// What was measured, by the phase's name, in order.
    pub phases: Vec<(String, Sample)>,
}

/// All tables as Markdown.
pub(crate) fn tables(visits: &[Visit]) -> String {
    let mut out = String::new();
    let mut amounts: Vec<usize> = visits.iter().map(|visit| visit.stored).collect();
    amounts.sort_unstable();
    amounts.dedup();
    for stored in &amounts {
        let here: Vec<&Visit> = visits.iter().filter(|visit| visit.stored == *stored).collect();
        let _ = writeln!(out, "\n### {stored} stored runs\n");
        phases(&mut out, &here);
        resources(&mut out, &here);
    }
    if let [few, .., many] = amounts.as_slice() {
        growth(&mut out, visits, *few, *many);
    }
    out
}

fn phases(out: &mut String, visits: &[&Visit]) {
    let _ = writeln!(
        out,
        "| phase | server | requests/s (min–max) | p50 ms | p99 ms | p99.9 ms | server CPU µs each | errors |"
    );
    let _ = writeln!(out, "|---|---|---|---|---|---|---|---|");
    for name in names(visits) {
        for side in sides(visits) {
            let samples = samples(visits, side, &name);
            let rate = Spread::of(samples.iter().map(|sample| sample.rate()));
            let middle =
                |figure: &dyn Fn(&Sample) -> f64| Spread::of(samples.iter().map(|sample| figure(sample))).median;
            let errors: usize = samples.iter().map(|sample| sample.errors).sum();
            let _ = writeln!(
                out,
                "| {name} | {} | {:.0} ({:.0}–{:.0}) | {:.2} | {:.2} | {:.2} | {:.0} | {errors} |",
                side.name(),
                rate.median,
                rate.min,
                rate.max,
                middle(&|sample| sample.percentile(0.5)),
                middle(&|sample| sample.percentile(0.99)),
                middle(&|sample| sample.percentile(0.999)),
                middle(&Sample::cpu_each),
            );
        }
        if let [one, other] = sides(visits).as_slice() {
            let rate = |side: Side| Spread::of(samples(visits, side, &name).iter().map(|sample| sample.rate())).median;
            let _ = writeln!(
                out,
                "| {name} | *ratio* | **{:.2}** | | | | | |",
                rate(*one) / rate(*other)
            );
        }
    }
}

fn resources(out: &mut String, visits: &[&Visit]) {
    let _ = writeln!(
        out,
        "\n| server | ready after ms (min–max) | resident MiB after reading | resident MiB after voting | clicks not recorded |\n|---|---|---|---|---|"
    );
    for side in sides(visits) {
        let of = |figure: &dyn Fn(&Visit) -> f64| {
            Spread::of(
                visits
                    .iter()
                    .filter(|visit| visit.side == side)
                    .map(|visit| figure(visit)),
            )
        };
        let (ready, reading, voting) = (
            of(&|visit| visit.ready),
            of(&|visit| visit.reading),
            of(&|visit| visit.voting),
        );
        let _ = writeln!(
            out,
            "| {} | {:.0} ({:.0}–{:.0}) | {:.1} | {:.1} | {} |",
            side.name(),
            ready.median,
            ready.min,
            ready.max,
            reading.median,
            voting.median,
            visits
                .iter()
                .filter(|visit| visit.side == side)
                .map(|visit| visit.refused)
                .sum::<usize>()
        );
    }
}

/// What the number of stored runs costs.
fn growth(out: &mut String, visits: &[Visit], few: usize, many: usize) {
    let _ = writeln!(
        out,
        "\n### {many} stored runs against {few}\n\n| phase | server | requests/s | p99 |\n|---|---|---|---|"
    );
    let at = |stored: usize| {
        visits
            .iter()
            .filter(|visit| visit.stored == stored)
            .collect::<Vec<&Visit>>()
    };
    let (less, more) = (at(few), at(many));
    let change = |before: f64, after: f64| format!("{:+.1} %", (after / before - 1.0) * 100.0);
    for name in names(&less) {
        for side in sides(&less) {
            let figure = |visits: &[&Visit], figure: &dyn Fn(&Sample) -> f64| {
                Spread::of(samples(visits, side, &name).iter().map(|sample| figure(sample))).median
            };
            let (rate, tail) = (&Sample::rate as &dyn Fn(&Sample) -> f64, &|sample: &Sample| {
                sample.percentile(0.99)
            });
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} |",
                side.name(),
                change(figure(&less, rate), figure(&more, rate)),
                change(figure(&less, tail), figure(&more, tail))
            );
        }
    }
}

/// Warming up is not measured.
fn names(visits: &[&Visit]) -> Vec<String> {
    let phases = visits.first().map_or(&[][..], |visit| &visit.phases);
    phases
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| !name.ends_with("warm up"))
        .collect()
}

fn sides(visits: &[&Visit]) -> Vec<Side> {
    let mut sides: Vec<Side> = visits.iter().map(|visit| visit.side).collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}

fn samples<'a>(visits: &[&'a Visit], side: Side, name: &str) -> Vec<&'a Sample> {
    visits
        .iter()
        .filter(|visit| visit.side == side)
        .flat_map(|visit| &visit.phases)
        .filter(|(phase, _)| phase == name)
        .map(|(_, sample)| sample)
        .collect()
}
