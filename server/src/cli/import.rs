//! `ropewalk import`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Failure, args::ImportArgs, complain, key, print, signals::StopSignals, unexpected};
use crate::{
    admin::{Admin, BATCH_BYTES, BATCH_ITEMS_MAX, Request, Response},
    import::{Item, ItemHeader, Limits, Outcome, source},
};

/// Imports the files and tells what became of them; fails if anything was not imported.
pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    let mut admin = Admin::open(&args.place.data_dir, &key::options(&args.place)?, false)?;
    let (_runtime, interrupted) = listen()?;
    let user = args.user.clone();
    let Response::Prepared(limits) = admin.call(Request::PrepareImport { user }, Vec::new())?
    else {
        return Err(unexpected());
    };

    let bar = progress_bar(&args.files);
    let mut import = Import {
        admin,
        args,
        limits,
        waiting: Vec::new(),
        waiting_bytes: 0,
        saved: 0,
        failed: 0,
        bar,
        interrupted,
    };
    for path in &args.files {
        import.file(path)?;
    }
    let interrupted = import.interrupted();
    if !interrupted {
        import.flush()?;
    }
    import.bar.finish_and_clear();
    import.admin.close()?;
    let Import { saved, failed, .. } = import;
    print(&format!("imported {saved}, failed {failed}\n"))?;
    match failed {
        _ if interrupted => Err(Failure(
            "the import was interrupted; what is counted is in the mailbox, the rest is not"
                .to_owned(),
        )),
        0 => Ok(()),
        _ => Err(Failure(
            "not everything was imported; each failure is named above".to_owned(),
        )),
    }
}

/// An import under way.
struct Import<'a> {
    admin: Admin,
    args: &'a ImportArgs,
    limits: Limits,
    /// Read but not sent, each with its name for people.
    waiting: Vec<(String, Item)>,
    waiting_bytes: usize,
    saved: usize,
    failed: usize,
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

/// Exit code of a command that a second signal ended, as a shell has it for Ctrl-C.
const INTERRUPTED: i32 = 130;

/// The first signal to stop sets what is returned, the second one ends the process. Listens as long
/// as the runtime is there.
fn listen() -> io::Result<(tokio::runtime::Runtime, Arc<AtomicBool>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut signals = runtime.block_on(async { StopSignals::listen() })?;
    let seen = Arc::clone(&interrupted);
    runtime.spawn(async move {
        signals.next().await;
        seen.store(true, Ordering::Relaxed);
        signals.next().await;
        process::exit(INTERRUPTED);
    });
    Ok((runtime, interrupted))
}

impl Import<'_> {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        for piece in source::open(path, self.limits) {
            if self.interrupted() {
                break;
            }
            self.bar.inc(piece.bytes_read);
            match piece.item {
                Ok(item) => self.put(piece.name, item)?,
                Err(reason) => self.tell_failed(&piece.name, &reason),
            }
        }
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn put(&mut self, name: String, item: Item) -> Result<(), Failure> {
        self.waiting_bytes += item.data.len();
        self.waiting.push((name, item));
        if self.waiting.len() == BATCH_ITEMS_MAX || self.waiting_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Has everything that waits saved in one go.
    fn flush(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.waiting_bytes = 0;
        let mut names = Vec::with_capacity(self.waiting.len());
        let mut headers: Vec<ItemHeader> = Vec::with_capacity(self.waiting.len());
        let mut data = Vec::with_capacity(self.waiting.len());
        for (name, item) in self.waiting.drain(..) {
            names.push(name);
            headers.push(item.header);
            data.push(item.data);
        }
        let request = Request::Import {
            user: self.args.user.clone(),
            folder: self.args.folder.clone(),
            items: headers,
        };
        let Response::Imported(outcomes) = self.admin.call(request, data)? else {
            return Err(unexpected());
        };
        for (name, outcome) in names.iter().zip(outcomes) {
            match outcome {
                Outcome::Saved(messages) => self.saved += messages,
                Outcome::Failed(reason) => self.tell_failed(name, &reason),
            }
        }
        Ok(())
    }

    fn tell_failed(&mut self, name: &str, reason: &str) {
        self.failed += 1;
        self.bar
            .suspend(|| complain(&format!("cannot import {name}: {reason}")));
    }
}

/// A bar over the bytes of all files, on a terminal only.
fn progress_bar(files: &[std::path::PathBuf]) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let total = files.iter().map(|path| source::size(path)).sum();
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
