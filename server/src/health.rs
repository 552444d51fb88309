//! What `grpc.health.v1.Health` says.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::engine::Engine;
use crate::rpc;

/// SERVING only while the database answers. Whoever watches is told when that changes, and of nothing else.
pub(crate) async fn watch(
    health: HealthReporter,
    mut told: ServingStatus,
    engine: Arc<Engine>,
    closing: CancellationToken,
) {
    const INTERVAL: Duration = Duration::from_secs(1);
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = closing.cancelled() => break,
        }
        let status = ask(&engine).await;
        if status != told && !closing.is_cancelled() {
            told = status;
            set(&health, status).await;
        }
    }
}

/// Asks the database.
pub(crate) async fn ask(engine: &Engine) -> ServingStatus {
    const PATIENCE: Duration = Duration::from_secs(3);
    match tokio::time::timeout(PATIENCE, engine.is_well()).await {
        Ok(true) => ServingStatus::Serving,
        Ok(false) | Err(_) => ServingStatus::NotServing,
    }
}

/// The empty name is the server as a whole.
pub(crate) async fn set(health: &HealthReporter, status: ServingStatus) {
    metrics::gauge!("loket_serving").set(if status == ServingStatus::Serving { 1.0 } else { 0.0 });
    for service in std::iter::once("").chain(rpc::SERVICE_NAMES) {
        health.set_service_status(service, status).await;
    }
}
