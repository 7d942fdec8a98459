//! What `ropewalk store` tells people.

use std::fmt::Write as _;

use indicatif::{BinaryBytes, HumanCount};

use super::store::Rebuilt;
use crate::admin::{
    AffectedInfo, BackupEntry, BackupOutcome, CompactInfo, DamageInfo, Files, RestoreInfo,
    StatsInfo, VerifyInfo,
};

// Writing to a String cannot fail.

/// `store stats`.
pub fn stats(stats: &StatsInfo) -> String {
    let mut text = format!("store         {}\n", stats.store);
    let encrypted = if stats.encrypted { ", encrypted" } else { "" };
    let _ = writeln!(text, "format        {}{encrypted}", stats.format);
    let time = stats.last_time.as_deref().unwrap_or("an unknown time");
    let _ = writeln!(text, "last commit   {} at {time}", stats.last_lsn);
    let _ = writeln!(text, "on disk       {}", BinaryBytes(stats.disk_bytes));
    for (name, files) in [
        ("segments", stats.segments),
        ("packs", stats.packs),
        ("checkpoints", stats.checkpoints),
        ("cut off", stats.cut),
        ("index", stats.index),
    ] {
        let Files { files, bytes } = files;
        if files > 0 {
            let _ = writeln!(text, "  {name:<11} {} in {files}", BinaryBytes(bytes));
        }
    }
    if let Some(live) = stats.live_bytes {
        let _ = writeln!(
            text,
            "in use        {} at the last compaction",
            BinaryBytes(live)
        );
    }
    match &stats.mailboxes {
        Some(counts) => {
            let _ = writeln!(text, "users         {}", HumanCount(counts.users));
            let _ = writeln!(text, "folders       {}", HumanCount(counts.folders));
            let _ = writeln!(
                text,
                "messages      {}, {}",
                HumanCount(counts.messages),
                BinaryBytes(counts.message_bytes)
            );
            let _ = writeln!(
                text,
                "  deleted     {}",
                HumanCount(counts.deleted_messages)
            );
            let _ = writeln!(
                text,
                "large values  {}, {}",
                HumanCount(counts.large_values),
                BinaryBytes(counts.large_value_bytes)
            );
        }
        None => text.push_str("the index cannot tell what is in the mailboxes\n"),
    }
    text
}

/// `store verify`.
pub fn verify(report: &VerifyInfo) -> String {
    let mut text = format!(
        "read {} in {} frames up to commit {}: {} messages, {} large values\n",
        BinaryBytes(report.bytes),
        HumanCount(report.frames),
        report.last_lsn,
        HumanCount(report.messages),
        HumanCount(report.large_values)
    );
    if report.torn_tail_bytes > 0 {
        let _ = writeln!(
            text,
            "the log ends in {} that were never acknowledged; the next start moves them aside",
            BinaryBytes(report.torn_tail_bytes)
        );
    }
    let reason = report.index_reason.as_deref().unwrap_or("unknown");
    match report.index.as_str() {
        "good" => {}
        "missing" => text.push_str("there is no index; the next start makes one\n"),
        "needs_rebuild" => {
            let _ = writeln!(
                text,
                "the index does not fit the log ({reason}): run 'ropewalk store rebuild'; nothing is lost"
            );
        }
        _ => {
            let _ = writeln!(text, "the index was not compared: {reason}");
        }
    }
    damage(&mut text, &report.damage, report.damaged_places);
    if report.whole {
        text.push_str("all is whole\n");
    }
    text
}

fn damage(text: &mut String, places: &[DamageInfo], total: u64) {
    for place in places {
        let lsn = place.lsn.map(|lsn| format!(", commit {lsn}"));
        let _ = writeln!(
            text,
            "{} at {}{}: {}",
            place.file,
            place.offset,
            lsn.unwrap_or_default(),
            place.what
        );
        for affected in &place.affected {
            let _ = writeln!(text, "    {}", line(affected));
        }
    }
    let told = places.len() as u64;
    if total > told {
        let _ = writeln!(text, "... and {} more", HumanCount(total - told));
    }
}

fn line(affected: &AffectedInfo) -> String {
    let parts = [
        ("mailbox ", &affected.mailbox),
        ("folder ", &affected.folder),
        ("message ", &affected.message),
        ("subject ", &affected.subject),
    ];
    let known = parts
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}{}", value.as_ref()?)));
    known.collect::<Vec<_>>().join(", ")
}

/// `store rebuild`.
pub fn rebuilt(report: &Rebuilt) -> String {
    let mut text = format!(
        "made the index anew; read {} frames of the log\n",
        HumanCount(report.frames)
    );
    if report.damaged_places > 0 {
        let _ = writeln!(
            text,
            "{} damaged places were skipped; 'ropewalk store verify' names them",
            report.damaged_places
        );
    }
    text
}

/// `store compact`.
pub fn compacted(report: &CompactInfo) -> String {
    let mut text = format!(
        "the log takes {}, before {}; {} are in use\n",
        BinaryBytes(report.bytes_after),
        BinaryBytes(report.bytes_before),
        BinaryBytes(report.live_bytes)
    );
    if !report.damaged_segments.is_empty() {
        let _ = writeln!(
            text,
            "segments {:?} have damage and were left as they are; 'ropewalk store verify' tells more",
            report.damaged_segments
        );
    }
    text
}

/// `store backup`.
pub fn backed_up(report: &BackupOutcome) -> String {
    let mut text = format!(
        "backed up to commit {}: {} copied, {} there from before\n",
        report.backup.lsn,
        BinaryBytes(report.bytes_copied),
        BinaryBytes(report.bytes_shared)
    );
    damage(&mut text, &report.damage, report.damage.len() as u64);
    text
}

/// `store backup --list`.
pub fn backups(backups: &[BackupEntry]) -> String {
    let mut text = String::new();
    for backup in backups {
        let since = backup.first_time.as_deref().unwrap_or("an unknown time");
        let _ = writeln!(
            text,
            "{}  commits {} to {}, from {since} on, {}",
            backup.time,
            backup.first_lsn,
            backup.lsn,
            BinaryBytes(backup.bytes)
        );
    }
    text
}

/// `store restore`.
pub fn restored(report: &RestoreInfo) -> String {
    let time = report.time.as_deref().unwrap_or("an unknown time");
    format!(
        "restored commit {} of {time}: {} in {} files\n",
        report.lsn,
        BinaryBytes(report.bytes),
        report.files
    )
}
