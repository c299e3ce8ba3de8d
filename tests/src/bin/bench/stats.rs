//! What was measured, and what it comes to.

use std::time::Duration;

/// One phase of one run against one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// Every answered request, in microseconds, sorted.
    pub latencies: Vec<u32>,
    /// Requests that were not answered with 200.
    pub errors: usize,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Processor time that the server took meanwhile, on all cores.
    pub server_cpu: Duration,
}

impl Sample {
    /// Answered requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency that this part of the requests did not exceed, in milliseconds. Exact: every request is kept.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (part * self.latencies.len() as f64).ceil() as usize;
        self.latencies
            .get(at.saturating_sub(1).min(last))
            .map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }

    /// Processor time of the server for one request, in microseconds.
    pub(crate) fn cpu_each(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.latencies.len().max(1) as f64
    }
}

/// The same figure over several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The least.
    pub min: f64,
    /// The one in the middle; of an even number the lower one.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Over these rounds.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = figures.into_iter().collect();
        all.sort_by(f64::total_cmp);
        let at = |index: usize| all.get(index).copied().unwrap_or(f64::NAN);
        Self {
            min: at(0),
            median: at(all.len().saturating_sub(1) / 2),
            max: at(all.len().saturating_sub(1)),
        }
    }
}

/// What a process takes, as the kernel counts it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Memory that is resident now, in mebibytes.
    pub resident: f64,
    /// Processor time since it started.
    pub cpu: Duration,
}

/// Reads `/proc`. A process that is gone takes nothing.
pub(crate) fn usage(process: u32) -> Usage {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.trim().split(' ').next()?.parse::<f64>().ok());
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may hold spaces: state is the first field, user and system time the twelfth and thirteenth. Linux counts 100 ticks a second here.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|word| word.parse::<u64>().ok())
            .unwrap_or_default()
    };
    Usage {
        resident: kibibytes.unwrap_or(f64::NAN) / 1024.0,
        cpu: Duration::from_millis((ticks(11) + ticks(12)) * 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let sample = Sample {
            latencies: (1..=1000).map(|n| n * 1000).collect(),
            ..Sample::default()
        };
        assert_eq!(
            [0.5, 0.99, 0.999, 1.0].map(|part| sample.percentile(part)),
            [500.0, 990.0, 999.0, 1000.0]
        );
        assert!(Sample::default().percentile(0.5).is_nan());
    }

    #[test]
    fn a_spread_is_in_order() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0]).median, 1.0);
    }
}
