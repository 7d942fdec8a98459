//! `ropewalk import`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Failure, args::ImportArgs, complain, print, unexpected};
use crate::{
    admin::{Admin, BATCH_BYTES, BATCH_ITEMS_MAX, Request, Response},
    import::{Item, ItemHeader, Limits, Outcome, source},
};

/// Imports the files and tells what became of them; fails if anything was not imported.
pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    let mut admin = Admin::open(&args.data_dir, false)?;
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
    };
    for path in &args.files {
        import.file(path)?;
    }
    import.flush()?;
    import.bar.finish_and_clear();
    import.admin.close()?;
    let Import { saved, failed, .. } = import;
    print(&format!("imported {saved}, failed {failed}\n"))?;
    match failed {
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
}

impl Import<'_> {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        for piece in source::open(path, self.limits) {
            self.bar.inc(piece.bytes_read);
            match piece.item {
                Ok(item) => self.put(piece.name, item)?,
                Err(reason) => self.tell_failed(&piece.name, &reason),
            }
        }
        Ok(())
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
