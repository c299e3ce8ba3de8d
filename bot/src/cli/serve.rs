//! Runs the bot until it is told to stop.

use std::sync::Arc;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::setup::Setup;
use super::socket;
use crate::runner::Engine;
use crate::telemetry;

/// How often measurements are counted into their buckets.
const UPKEEP: commands::time::Span = commands::time::Span::seconds(5);

/// Serves. A SIGTERM or an interrupt stops taking new work, finishes what was begun, and exits with success.
///
/// # Errors
/// When something is missing or wrong at the start.
pub(super) async fn serve() -> Result<bool> {
    // Whoever was first has installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let setup = Setup::read()?;
    telemetry::logs(Some(&setup.env.local.log))?;
    let metrics = telemetry::metrics()?;
    for warning in setup.env.warnings.iter().chain(&setup.loaded.warnings) {
        tracing::warn!(warning, "configuration");
    }
    for (variable, keys) in setup.secrets().1 {
        tracing::warn!(
            variable,
            ?keys,
            "the secret that this holds is needed, and it is not set: what needs it will fail"
        );
    }
    let bot = Arc::new(setup.bot(Some(metrics.clone())).await?);
    let listener = TcpListener::bind(setup.env.listen)
        .await
        .with_context(|| format!("LISTEN={}", setup.env.listen))?;
    let engine = bot.engine();
    if let Some(path) = setup.socket() {
        socket::listen(&path, Arc::clone(engine), setup.confined())?;
    }
    tracing::info!(listen = %listener.local_addr()?, services = ?crate::bot::summary(&setup.loaded.catalog), "serving");
    let starting = Arc::clone(&bot);
    engine.tasks.spawn(async move { starting.start_when_possible().await });
    engine.tasks.spawn(keep_metrics(Arc::clone(engine), metrics));
    let stop = engine.stop.clone();
    engine.tasks.spawn(async move {
        told_to_stop().await;
        tracing::info!("told to stop; finishing what was begun");
        stop.cancel();
    });
    axum::serve(listener, bot.router())
        .with_graceful_shutdown(engine.stop.clone().cancelled_owned())
        .await?;
    bot.drain().await;
    if let Some(path) = setup.socket() {
        let _ = std::fs::remove_file(path);
    }
    tracing::info!("stopped");
    Ok(true)
}

/// Counts what was measured into its buckets. Without this every single measurement is kept until somebody reads `/metrics`, and perhaps nobody does.
async fn keep_metrics(engine: Arc<Engine>, metrics: PrometheusHandle) {
    while !engine.stop.is_cancelled() {
        metrics.run_upkeep();
        tokio::select! {
            () = engine.clock.sleep(UPKEEP) => {}
            () = engine.stop.cancelled() => {}
        }
    }
}

async fn told_to_stop() {
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}
