//! `ropewalk store`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ropewalk_props::FileTime;
use ropewalk_store::{Progress, RestorePoint, StoreOptions};
use serde::Serialize;

use super::{
    Failure,
    args::{StoreArgs, StoreCommand, StorePlace},
    key, print, store_text as text, unexpected,
};
use crate::admin::{
    Admin, BackupEntry, Reached, Request, Response, RestoreInfo, StatsInfo, VerifyInfo, must_exist,
};

/// Runs one `store` command.
pub fn run(args: StoreArgs) -> Result<(), Failure> {
    let StoreArgs {
        place,
        json,
        command,
    } = args;
    let teller = Teller { json };
    match command {
        StoreCommand::Verify => verify(&place, &teller),
        StoreCommand::Rebuild => rebuild(&place, &teller),
        StoreCommand::Compact { new_key } => compact(&place, new_key, &teller),
        StoreCommand::Stats => stats(&place, &teller),
        StoreCommand::Backup { dir, list: true } => list(&dir, &teller),
        StoreCommand::Backup { dir, list: false } => backup(&place, &dir, &teller),
        StoreCommand::Restore { dir, lsn, time } => {
            restore(&place, &dir, point(lsn, time), &teller)
        }
    }
}

/// How results and progress are told.
struct Teller {
    json: bool,
}

impl Teller {
    fn tell<T: Serialize>(
        &self,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        if !self.json {
            return print(&text(result));
        }
        let mut json = serde_json::to_string_pretty(result)?;
        json.push('\n');
        print(&json)
    }

    /// A bar over bytes, on a terminal only.
    fn bar(&self) -> ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}

fn stats(place: &StorePlace, teller: &Teller) -> Result<(), Failure> {
    must_exist(&place.data_dir)?;
    let options = key::options(place)?;
    let reached = Admin::reach(&place.data_dir, || {
        ropewalk_store::stats(&place.data_dir, &options)
    })?;
    let stats = match reached {
        Reached::Here(stats) => StatsInfo::from(&stats),
        Reached::Server(mut admin) => match admin.call(Request::StoreStats, Vec::new())? {
            Response::StoreStats(stats) => *stats,
            _ => return Err(unexpected()),
        },
    };
    teller.tell(&stats, text::stats)
}

fn verify(place: &StorePlace, teller: &Teller) -> Result<(), Failure> {
    must_exist(&place.data_dir)?;
    let options = key::options(place)?;
    let bar = teller.bar();
    let reached = Admin::reach(&place.data_dir, || {
        ropewalk_store::verify(&place.data_dir, &options, &mut |progress| {
            show(&bar, progress);
        })
    })?;
    let report = match reached {
        Reached::Here(report) => VerifyInfo::from(&report),
        Reached::Server(mut admin) => {
            let response = admin.call_with(Request::StoreVerify, Vec::new(), &mut |progress| {
                show(&bar, progress);
            })?;
            match response {
                Response::Verified(report) => *report,
                _ => return Err(unexpected()),
            }
        }
    };
    bar.finish_and_clear();
    teller.tell(&report, text::verify)?;
    match report.whole {
        true => Ok(()),
        false => Err(Failure(format!(
            "the store in {} is damaged; keep it as it is and restore a backup into another \
             directory with 'ropewalk store restore'",
            place.data_dir.display()
        ))),
    }
}

/// What `store rebuild` tells.
#[derive(Serialize)]
pub struct Rebuilt {
    /// Frames of the log that were read.
    pub frames: u64,
    /// Damaged stretches of the log that were skipped.
    pub damaged_places: u64,
}

fn rebuild(place: &StorePlace, teller: &Teller) -> Result<(), Failure> {
    must_exist(&place.data_dir)?;
    let bar = teller.bar();
    let options = StoreOptions {
        // Said by the error that sends people here.
        accept_loss: true,
        ..key::options(place)?
    };
    let report = ropewalk_store::rebuild(&place.data_dir, options, &mut |progress| {
        show(&bar, progress);
    })?;
    bar.finish_and_clear();
    let rebuilt = Rebuilt {
        frames: report.frames_replayed,
        damaged_places: report.fenced.len() as u64,
    };
    teller.tell(&rebuilt, text::rebuilt)
}

fn compact(place: &StorePlace, new_key: bool, teller: &Teller) -> Result<(), Failure> {
    let mut options = key::options(place)?;
    let bar = teller.bar();
    let mut admin = if new_key {
        if options.master_key.is_none() {
            return Err(Failure(
                "a new data key needs the store's key: give it with --key-file or in the variable \
                 ROPEWALK_STORE_KEY"
                    .to_owned(),
            ));
        }
        options.new_data_key = true;
        Admin::open_here(&place.data_dir, &options)?
    } else {
        Admin::open(&place.data_dir, &options, false)?
    };
    let response = admin.call_with(Request::StoreCompact, Vec::new(), &mut |progress| {
        show(&bar, progress);
    })?;
    admin.close()?;
    bar.finish_and_clear();
    match response {
        Response::Compacted(report) => teller.tell(&report, text::compacted),
        _ => Err(unexpected()),
    }
}

fn backup(place: &StorePlace, dir: &Path, teller: &Teller) -> Result<(), Failure> {
    let options = key::options(place)?;
    // The server's working directory is another one.
    let dir = std::path::absolute(dir)?;
    let bar = teller.bar();
    let mut admin = Admin::open(&place.data_dir, &options, false)?;
    let request = Request::StoreBackup { dir };
    let response = admin.call_with(request, Vec::new(), &mut |progress| show(&bar, progress))?;
    admin.close()?;
    bar.finish_and_clear();
    let Response::BackedUp(report) = response else {
        return Err(unexpected());
    };
    teller.tell(&*report, text::backed_up)?;
    match report.damage.len() {
        0 => Ok(()),
        _ => Err(Failure(
            "the backup is made, but what is named above is damaged in the store; see 'ropewalk \
             store verify'"
                .to_owned(),
        )),
    }
}

fn list(dir: &Path, teller: &Teller) -> Result<(), Failure> {
    let found = ropewalk_store::list_backups(dir)?;
    let entries: Vec<BackupEntry> = found.backups.iter().map(Into::into).collect();
    teller.tell(&entries, |entries| text::backups(entries))?;
    match found.unreadable.first() {
        None => Ok(()),
        Some((path, why)) => Err(Failure(format!("{} cannot be used: {why}", path.display()))),
    }
}

fn point(lsn: Option<u64>, time: Option<FileTime>) -> RestorePoint {
    match (lsn, time) {
        (Some(lsn), _) => RestorePoint::Lsn(lsn),
        (None, Some(time)) => RestorePoint::Time(time),
        (None, None) => RestorePoint::Latest,
    }
}

fn restore(
    place: &StorePlace,
    from: &Path,
    point: RestorePoint,
    teller: &Teller,
) -> Result<(), Failure> {
    let bar = teller.bar();
    let to = &place.data_dir;
    let report = ropewalk_store::restore(from, to, point, &mut |progress| {
        show(&bar, progress);
    })?;
    bar.finish_and_clear();
    teller.tell(&RestoreInfo::from(&report), text::restored)
}
