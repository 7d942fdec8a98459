//! `ropewalk serve`.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use ropewalk_store::{Compaction, Durability, IndexKind, Store, StoreOptions};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{Failure, args::ServeArgs, demo_table, key, logging, print, signals::StopSignals};
use crate::{
    admin::{AdminServer, Operations},
    config::{Config, DurabilityLevel, IndexChoice},
    demo, http, import, session,
};

/// How long requests that have begun may take to finish once the server is told to stop.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// Serves until a signal asks to stop.
pub fn run(args: &ServeArgs) -> Result<(), Failure> {
    let config = configuration(args)?;
    logging::start(&config.log)?;
    refuse_plaintext(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    // From here on a signal leaves no temporary directory behind.
    let mut signals = runtime.block_on(async { StopSignals::listen() })?;
    let place = Place::choose(args, &config)?;
    let Some(opened) = runtime.block_on(open(&place, &config, &mut signals)) else {
        // A store that is being opened takes an end at any moment.
        runtime.shutdown_background();
        return place.clean_up();
    };
    let store = opened?;
    log_recovery(&store);
    let served = runtime.block_on(serve(args, &config, place.dir(), &store, signals));
    // Work that outlived its patience must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    let closed = store.close();
    served?;
    closed?;
    place.clean_up()
}

/// Opens the store, which reads the whole log if the index is gone; `None` if a signal came first.
async fn open(
    place: &Place,
    config: &Config,
    signals: &mut StopSignals,
) -> Option<Result<Store, Failure>> {
    let options = match store_options(config) {
        Ok(options) => options,
        Err(failure) => return Some(Err(failure)),
    };
    let dir = place.dir().to_owned();
    let mut opening = tokio::task::spawn_blocking(move || Store::open(&dir, options));
    let opened = tokio::select! {
        opened = &mut opening => opened,
        () = signals.next() => {
            if let Place::Temporary(_) = place {
                // It is new, so this is short, and nothing is written while it is removed.
                if let Ok(Ok(store)) = opening.await {
                    let _ = store.close();
                }
            }
            return None;
        }
    };
    Some(match opened {
        Ok(store) => store.map_err(Failure::from),
        Err(error) => Err(Failure::from(error)),
    })
}

/// The configuration file with the command line's wishes over it.
fn configuration(args: &ServeArgs) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    config.http = args.http.unwrap_or(config.http);
    config.https = args.https.unwrap_or(config.https);
    if let Some(data_dir) = &args.data_dir {
        config.data_dir.clone_from(data_dir);
    }
    Ok(config)
}

/// HTTP Basic sends the password as it is, so it must not leave the machine without TLS.
fn refuse_plaintext(config: &Config) -> Result<(), Failure> {
    if config.allow_plaintext || config.http.ip().is_loopback() {
        return Ok(());
    }
    Err(Failure(format!(
        "plain HTTP on {} would send passwords unprotected; use --https for that address, or set \
         allow_plaintext = true in the configuration",
        config.http
    )))
}

fn store_options(config: &Config) -> Result<StoreOptions, Failure> {
    Ok(StoreOptions {
        master_key: key::master_key(config.store.key_file.as_deref())?,
        durability: match config.durability {
            DurabilityLevel::Always => Durability::Always,
            DurabilityLevel::Interval(interval) => Durability::Interval(interval),
            DurabilityLevel::None => Durability::None,
        },
        index: match config.store.index {
            IndexChoice::Sled => IndexKind::Sled,
            IndexChoice::Memory => IndexKind::Memory,
        },
        retention: Some(config.store.keep_deleted.0),
        compaction: Compaction::Background {
            bytes_per_second: config.store.compaction_rate.0,
        },
        cache_bytes: usize::try_from(config.store.cache_size.0).unwrap_or(usize::MAX),
        allow_network: config.store.allow_network,
        ..StoreOptions::default()
    })
}

/// Where the store is.
enum Place {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Place {
    /// The directory of the command line or the configuration; a demo that was given none on the
    /// command line gets a temporary one, whatever the configuration says.
    fn choose(args: &ServeArgs, config: &Config) -> Result<Self, Failure> {
        if args.demo && args.data_dir.is_none() {
            let dir = tempfile::Builder::new()
                .prefix("ropewalk-demo-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir();
            return dir.map(Self::Temporary).map_err(|error| {
                Failure(format!(
                    "cannot make a temporary directory: {error}; give one with --data-dir"
                ))
            });
        }
        Ok(Self::Kept(config.data_dir.clone()))
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Temporary(dir) => dir.path(),
        }
    }

    fn clean_up(self) -> Result<(), Failure> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Temporary(dir) => {
                let name = dir.path().display().to_string();
                dir.close().map_err(|error| {
                    Failure(format!("cannot remove {name}: {error}; remove it by hand"))
                })
            }
        }
    }
}

fn log_recovery(store: &Store) {
    let report = store.recovery();
    for frame in &report.fenced {
        tracing::error!(?frame, "damaged data in the log; it is not served");
    }
    if report.tail_bytes_cut > 0 {
        let bytes = report.tail_bytes_cut;
        tracing::warn!(bytes, "cut an unfinished write at the end of the log");
    }
}

/// Listens, tells so, and serves until a signal comes.
async fn serve(
    args: &ServeArgs,
    config: &Config,
    data_dir: &Path,
    store: &Store,
    mut signals: StopSignals,
) -> Result<(), Failure> {
    let limits = import::Limits {
        message_bytes_max: config.limits.max_message_size.0,
    };
    let admin = AdminServer::bind(data_dir).map_err(|error| {
        Failure(format!(
            "cannot make the admin socket in the data directory: {error}"
        ))
    })?;
    let mut text = String::new();
    let bound = http::bind(&http_config(config, data_dir, store))?;
    let (http_addr, https_addr) = (bound.http_addr(), bound.https_addr());
    // Only now: a start that fails says one sentence and nothing else.
    let report = store.recovery();
    tracing::info!(
        frames = report.frames_replayed,
        index_rebuilt = report.index_rebuilt,
        "serving"
    );
    if args.demo {
        let store = store.clone();
        let users = tokio::task::spawn_blocking(move || demo::load(&store)).await??;
        text = demo_table::text(http_addr, https_addr, data_dir, &program(), &users);
    }

    let (stop, stopped) = watch::channel(false);
    let admin = tokio::spawn(admin.run(Operations::new(store.clone(), limits), stopped.clone()));
    let http = tokio::spawn(bound.run(stopped));
    print(&format!(
        "http={http_addr}\nhttps={https_addr}\n{text}ready\n"
    ))?;

    signals.next().await;
    tracing::info!("stopping");
    stop.send_replace(true);
    let drained = async {
        let _ = tokio::join!(admin, http);
    };
    tokio::select! {
        () = drained => {}
        () = tokio::time::sleep(DRAIN_PATIENCE) => tracing::warn!("requests were cut off"),
        () = signals.next() => tracing::warn!("requests were cut off by a second signal"),
    }
    Ok(())
}

/// This program as it was called, if that says where it is: what a shell understands.
fn program() -> String {
    std::env::args()
        .next()
        .filter(|name| name.contains('/') && !name.contains([' ', '\'']))
        .unwrap_or_else(|| "ropewalk".to_owned())
}

fn http_config(config: &Config, data_dir: &Path, store: &Store) -> http::ServeConfig {
    http::ServeConfig {
        http: config.http,
        https: config.https,
        tls: config.tls.clone(),
        data_dir: data_dir.to_owned(),
        public_host: config.public_host.clone(),
        contexts: session::Limits {
            idle_timeout: config.limits.context_idle_timeout.0,
            memory: usize::try_from(config.limits.session_memory.0).unwrap_or(usize::MAX),
            ..session::Limits::default()
        },
        running_requests: config.limits.running_requests,
        timing: http::Timing {
            asynchronous_slice: config.limits.asynchronous_slice.0,
            ..http::Timing::default()
        },
        store: store.clone(),
    }
}
