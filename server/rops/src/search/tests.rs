//! Searches from the inside: how they keep up, when they start again, what is kept of them.

use std::collections::BTreeSet;

use ropewalk_props::{Bag, PropTag, tags::*};
use ropewalk_store::{ContentsView, DeleteFolder, Message, NewFolder, SaveMessage};
use ropewalk_wire::{
    Fid,
    codec::Bytes16,
    restriction::{RelOp, Restriction},
    rop::*,
    value::TaggedPropertyValue,
};

use super::*;
use crate::{
    ids,
    logon::special,
    rights::{Rights, list::PermissionsList},
    test_support::{Fixture, restriction_data},
};

const LONG: Duration = Duration::from_secs(60);
const SOFT: DeleteFolder = DeleteFolder {
    messages: true,
    folders: true,
    hard: false,
};

fn importance(op: RelOp, value: i32) -> Restriction {
    Restriction::Property {
        rel_op: op,
        prop_tag: PID_TAG_IMPORTANCE,
        tagged_value: TaggedPropertyValue {
            tag: PID_TAG_IMPORTANCE,
            value: PropValue::Integer32(value),
        },
    }
}

fn important() -> Restriction {
    importance(RelOp::GREATER_THAN_OR_EQUAL, 2)
}

fn unread() -> Restriction {
    Restriction::BitMask {
        bitmap_rel_op: 0,
        prop_tag: PID_TAG_MESSAGE_FLAGS,
        mask: 1,
    }
}

fn named(name: &str) -> Bag {
    let mut props = Bag::new();
    props.set_text(PID_TAG_DISPLAY_NAME, name);
    props
}

fn folder(mailbox: &Mailbox, parent: GlobCnt, kind: FolderKind, name: &str) -> GlobCnt {
    let props = named(name);
    let new = NewFolder {
        parent,
        kind,
        props,
    };
    mailbox.create_folder(new).unwrap().id
}

fn search(mailbox: &Mailbox, name: &str) -> GlobCnt {
    folder(mailbox, special::FINDER, FolderKind::Search, name)
}

fn save(mailbox: &Mailbox, folder: GlobCnt, id: Option<GlobCnt>, importance: i32) -> GlobCnt {
    let mut message = Message::default();
    let value = PropValue::Integer32(importance);
    message.props.set(PID_TAG_IMPORTANCE, &value);
    let save = SaveMessage {
        folder,
        id,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    };
    mailbox.save_message(save).unwrap().id
}

/// RopSetSearchCriteria; an empty restriction and no folders leave what was there.
fn set(
    fixture: &mut Fixture,
    search: GlobCnt,
    restriction: Option<&Restriction>,
    folders: &[GlobCnt],
    search_flags: u32,
) -> ErrorCode {
    let logon = fixture.logon(0);
    let handle = fixture.open_folder(logon, search);
    let data = restriction.map(restriction_data).unwrap_or_default();
    let folders: Vec<Fid> = folders.iter().map(|id| ids::fid(*id)).collect();
    let request = SetSearchCriteriaRequest {
        restriction_data: Bytes16::new(&data),
        folder_ids: (&folders).into(),
        search_flags,
    };
    fixture.code(handle, RequestBody::SetSearchCriteria(request))
}

fn found(fixture: &Fixture, search: GlobCnt) -> Vec<GlobCnt> {
    let mailbox = fixture.mailbox();
    let looked = look(&fixture.store, &mailbox, search, LONG).unwrap();
    let looked = looked.unwrap();
    assert_ne!(looked.stage, Stage::Running);
    let unread = looked.contents.iter().filter(|entry| !entry.read).count();
    let sizes = looked.contents.iter().map(|entry| entry.size);
    assert_eq!(
        (
            looked.counts.content,
            looked.counts.unread,
            looked.counts.size
        ),
        (looked.contents.len() as u32, unread as u32, sizes.sum()),
    );
    looked.contents.iter().map(|entry| entry.id).collect()
}

fn owner(fixture: &Fixture) -> LogonObject {
    LogonObject {
        mailbox: fixture.mailbox(),
        access: Access::Owner,
        progress: false,
    }
}

fn stage(fixture: &Fixture, search: GlobCnt) -> Stage {
    let looked = look(&fixture.store, &fixture.mailbox(), search, Duration::ZERO);
    looked.unwrap().unwrap().stage
}

/// What tells one start of a search from another.
fn view_id(fixture: &Fixture, search: GlobCnt) -> u64 {
    let kept: Arc<Search> = fixture.mailbox().derived(search).unwrap();
    kept.lock().as_ref().unwrap().id()
}

#[test]
fn a_dynamic_search_keeps_up_with_what_becomes_of_messages() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let (a, b) = (special::INBOX, special::SENT_ITEMS);
    let found_all = search(&mailbox, "important");
    let old = save(&mailbox, a, None, 2);
    save(&mailbox, a, None, 1);
    let code = set(&mut fixture, found_all, Some(&important()), &[a], 0);
    assert_eq!(code, ErrorCode(0));
    let view = view_id(&fixture, found_all);
    assert_eq!(found(&fixture, found_all), [old]);
    // It begins to match, ceases to, begins again.
    let new = save(&mailbox, a, None, 0);
    assert_eq!(found(&fixture, found_all), [old]);
    save(&mailbox, a, Some(new), 2);
    assert_eq!(found(&fixture, found_all), [old, new]);
    save(&mailbox, a, Some(old), 1);
    assert_eq!(found(&fixture, found_all), [new]);
    save(&mailbox, a, Some(old), 2);
    // It leaves the scope, comes back with another id, goes for good.
    let moved = mailbox.move_messages(a, b, &[old]).unwrap().done[0].1;
    assert_eq!(found(&fixture, found_all), [new]);
    let back = mailbox.move_messages(b, a, &[moved]).unwrap().done[0].1;
    assert_eq!(found(&fixture, found_all), [new, back]);
    mailbox.delete_messages(a, &[new], true).unwrap();
    mailbox.delete_messages(a, &[back], false).unwrap();
    assert_eq!(found(&fixture, found_all), []);
    assert_eq!(
        view_id(&fixture, found_all),
        view,
        "it was never started again"
    );
}

#[test]
fn nothing_of_a_message_but_its_entry_is_read_where_that_is_enough() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "unread");
    let id = save(&mailbox, special::INBOX, None, 1);
    set(&mut fixture, all, Some(&unread()), &[special::INBOX], 0);
    assert_eq!(found(&fixture, all), [id]);
    mailbox.set_read(special::INBOX, &[id], true).unwrap();
    assert_eq!(found(&fixture, all), []);
    let restriction = Rule::new(&unread()).unwrap();
    assert_eq!(restriction.filter.need(), crate::table::filter::Need::Entry);
}

#[test]
fn a_recursive_search_takes_in_folders_that_come_and_lets_go_of_those_that_leave() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    let below = |parent, name: &str| folder(&mailbox, parent, FolderKind::Generic, name);
    let top = below(special::INBOX, "top");
    let first = save(&mailbox, top, None, 2);
    set(
        &mut fixture,
        all,
        Some(&important()),
        &[top],
        set_flags::RECURSIVE,
    );
    assert_eq!(found(&fixture, all), [first]);
    let inner = below(top, "inner");
    let second = save(&mailbox, inner, None, 2);
    let elsewhere = below(special::INBOX, "elsewhere");
    let third = save(&mailbox, elsewhere, None, 2);
    assert_eq!(found(&fixture, all), [first, second]);
    mailbox.move_folder(elsewhere, inner, None).unwrap();
    assert_eq!(found(&fixture, all), [first, second, third]);
    mailbox.move_folder(inner, special::INBOX, None).unwrap();
    assert_eq!(found(&fixture, all), [first]);
    mailbox.move_folder(inner, top, None).unwrap();
    mailbox.delete_folder(elsewhere, SOFT).unwrap();
    assert_eq!(found(&fixture, all), [first, second]);
    // Without its scope a search finds nothing, and does not fail.
    mailbox.delete_folder(top, SOFT).unwrap();
    assert_eq!(found(&fixture, all), []);
    assert_eq!(stage(&fixture, all), Stage::Complete);
    // Named again without subfolders: shallow is the default of every request.
    set(&mut fixture, all, None, &[special::INBOX], 0);
    let here = save(&mailbox, special::INBOX, None, 2);
    assert_eq!(found(&fixture, all), [here]);
}

#[test]
fn the_whole_mailbox_can_be_searched_without_its_search_folders() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    let ids = [special::ROOT, special::INBOX, special::OUTBOX]
        .map(|folder| save(&mailbox, folder, None, 2));
    let code = set(
        &mut fixture,
        all,
        Some(&important()),
        &[special::ROOT, special::INBOX],
        set_flags::RECURSIVE,
    );
    assert_eq!(code, ErrorCode(0));
    assert_eq!(found(&fixture, all), ids);
}

#[test]
fn a_static_search_stays_as_it_is_until_it_starts_again_and_over_restarts() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let inbox = special::INBOX;
    let fixed = search(&mailbox, "static");
    let ids = [2, 2, 2].map(|value| save(&mailbox, inbox, None, value));
    set(
        &mut fixture,
        fixed,
        Some(&important()),
        &[inbox],
        set_flags::STATIC,
    );
    assert_eq!(found(&fixture, fixed), ids);
    let late = save(&mailbox, inbox, None, 2);
    save(&mailbox, inbox, Some(ids[0]), 1);
    mailbox.delete_messages(inbox, &[ids[1]], true).unwrap();
    mailbox.set_read(inbox, &[ids[2]], true).unwrap();
    assert_eq!(found(&fixture, fixed), ids);
    drop(mailbox);
    let mut fixture = fixture.reopened();
    let mailbox = fixture.mailbox();
    assert_eq!(found(&fixture, fixed), ids);
    let contents = contents(&fixture.store, &owner(&fixture), fixed).unwrap();
    // What is there is shown as it is now; of what is gone, that it was.
    assert!(contents.get(ids[2]).is_some_and(|entry| entry.read));
    assert!(
        contents
            .get(ids[1])
            .is_some_and(|entry| !entry.has_content())
    );
    let gone = entry(&fixture.store, &owner(&fixture), fixed, ids[1]).unwrap();
    assert_eq!(gone, None);
    assert_eq!(stage(&fixture, fixed), Stage::Complete);
    set(
        &mut fixture,
        fixed,
        None,
        &[],
        set_flags::STATIC | set_flags::RESTART,
    );
    assert_eq!(found(&fixture, fixed), [ids[2], late]);
    // A static search with no results is not started again by a restart either.
    set(
        &mut fixture,
        fixed,
        Some(&importance(RelOp::EQUAL, 7)),
        &[],
        set_flags::STATIC,
    );
    drop(mailbox);
    let fixture = fixture.reopened();
    save(&fixture.mailbox(), inbox, None, 7);
    assert_eq!(found(&fixture, fixed), []);
}

#[test]
fn a_dynamic_search_finds_all_again_after_a_restart() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    let id = save(&mailbox, special::INBOX, None, 2);
    set(&mut fixture, all, Some(&important()), &[special::INBOX], 0);
    assert_eq!(found(&fixture, all), [id]);
    drop(mailbox);
    let fixture = fixture.reopened();
    let next = save(&fixture.mailbox(), special::INBOX, None, 2);
    assert_eq!(found(&fixture, all), [id, next]);
}

/// A search that has begun and that nobody works on.
fn begun(fixture: &mut Fixture, search: GlobCnt, flags: u32) {
    let mailbox = fixture.mailbox();
    let criteria = Criteria {
        serial: 1,
        flags,
        folders: vec![special::INBOX],
        restriction: restriction_data(&important()),
    };
    let set = [(CRITERIA, PropValue::Binary(criteria.encode()))];
    mailbox.amend_folder(search, &set, &[]).unwrap();
    let kept: Arc<Search> = mailbox.derived(search).unwrap();
    kept.is_queued.store(true, Ordering::Relaxed);
    assert_eq!(stage(fixture, search), Stage::Running);
}

// PITFALLS 15: the same criteria, issued again while the search is being done: success, and it goes on where it
// is (a client that sets them in turn with another one would never see it complete).
#[test]
fn the_same_criteria_in_flight_do_not_start_a_search_again() {
    for flags in [0, set_flags::STATIC] {
        let mut fixture = Fixture::new();
        let mailbox = fixture.mailbox();
        let all = search(&mailbox, "important");
        let id = save(&mailbox, special::INBOX, None, 2);
        begun(&mut fixture, all, flags);
        let view = view_id(&fixture, all);
        let inbox = [special::INBOX];
        let again = set(
            &mut fixture,
            all,
            Some(&important()),
            &inbox,
            flags | set_flags::RESTART,
        );
        assert_eq!(again, ErrorCode(0));
        assert_eq!(
            (view_id(&fixture, all), stage(&fixture, all)),
            (view, Stage::Running)
        );
        assert_eq!(set(&mut fixture, all, None, &[], flags), ErrorCode(0));
        assert_eq!(
            (view_id(&fixture, all), stage(&fixture, all)),
            (view, Stage::Running)
        );
        assert_eq!(found(&fixture, all), [id]);
        assert_eq!(view_id(&fixture, all), view);
        // Complete, a static search starts again and a dynamic one has no need to.
        assert_eq!(set(&mut fixture, all, None, &[], flags), ErrorCode(0));
        assert_eq!(view_id(&fixture, all) == view, flags == 0);
        // Other criteria do start it, in flight or not.
        let other = importance(RelOp::EQUAL, 1);
        set(&mut fixture, all, Some(&other), &[], flags);
        assert_ne!(view_id(&fixture, all), view);
        assert_eq!(found(&fixture, all), []);
    }
}

#[test]
fn a_search_in_flight_says_so_and_nobody_waits_for_it_twice() {
    for flags in [set_flags::RECURSIVE, set_flags::STATIC] {
        let mut fixture = Fixture::new();
        let mailbox = fixture.mailbox();
        let all = search(&mailbox, "important");
        save(&mailbox, special::INBOX, None, 2);
        begun(&mut fixture, all, flags);
        // Somebody is at the one piece of work that there is.
        let kept: Arc<Search> = mailbox.derived(all).unwrap();
        let chunk = kept.lock().as_mut().and_then(View::claim).unwrap();
        let state = |fixture: &mut Fixture| {
            let logon = fixture.logon(0);
            let handle = fixture.open_folder(logon, all);
            let request = RequestBody::GetSearchCriteria(GetSearchCriteriaRequest::default());
            fixture.call(handle, request, &[], |response, _| match &response.body {
                ResponseBody::GetSearchCriteria(body) => body.search_flags,
                other => panic!("{other:?}"),
            })
        };
        let kind = match flags {
            set_flags::STATIC => rops::get_flags::STATIC,
            _ => rops::get_flags::RECURSIVE,
        } | rops::get_flags::TWIR_TOTALLY;
        assert_eq!(state(&mut fixture), kind | 0x3);
        let began = Instant::now();
        let owner = owner(&fixture);
        let store = fixture.store.clone();
        for _ in 0..20 {
            assert!(contents(&store, &owner, all).unwrap().is_empty());
        }
        assert!(began.elapsed() < 5 * PATIENCE);
        let at = Place {
            store: &store,
            mailbox: &mailbox,
        };
        let done = chunk.run(at, &Rule::new(&important()).unwrap());
        if let Some(view) = kept.lock().as_mut() {
            view.merge(done);
        }
        assert_eq!(found(&fixture, all).len(), 1);
        assert_eq!(state(&mut fixture), kind | rops::get_flags::COMPLETE);
    }
}

#[test]
fn a_stopped_search_keeps_what_it_found_and_follows_what_changes_if_it_is_dynamic() {
    for flags in [0, set_flags::STATIC] {
        let mut fixture = Fixture::new();
        let mailbox = fixture.mailbox();
        let all = search(&mailbox, "important");
        let id = save(&mailbox, special::INBOX, None, 2);
        begun(&mut fixture, all, flags);
        assert_eq!(
            set(&mut fixture, all, None, &[], set_flags::STOP),
            ErrorCode(0)
        );
        assert_eq!(stage(&fixture, all), Stage::Stopped);
        assert_eq!(found(&fixture, all), []);
        assert!(!is_any_active(&fixture.store, &mailbox));
        let new = save(&mailbox, special::INBOX, None, 2);
        let followed = if flags == 0 { vec![new] } else { vec![] };
        assert_eq!(found(&fixture, all), followed);
        set(&mut fixture, all, None, &[], flags | set_flags::RESTART);
        assert_eq!(found(&fixture, all), [id, new]);
        assert!(is_any_active(&fixture.store, &mailbox));
        // It is of no effect on one that is complete.
        set(&mut fixture, all, None, &[], set_flags::STOP);
        assert_eq!(stage(&fixture, all), Stage::Complete);
        let last = save(&mailbox, special::INBOX, None, 2);
        assert_eq!(found(&fixture, all).contains(&last), flags == 0);
    }
}

#[test]
fn a_search_can_search_what_another_one_has_found() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let (outer, inner) = (search(&mailbox, "outer"), search(&mailbox, "inner"));
    let inbox = special::INBOX;
    let a = save(&mailbox, inbox, None, 2);
    let b = save(&mailbox, inbox, None, 2);
    save(&mailbox, inbox, None, 1);
    mailbox.set_read(inbox, &[b], true).unwrap();
    set(&mut fixture, inner, Some(&important()), &[inbox], 0);
    set(&mut fixture, outer, Some(&unread()), &[inner], 0);
    assert_eq!(found(&fixture, outer), [a]);
    mailbox.set_read(inbox, &[b], false).unwrap();
    assert_eq!(found(&fixture, outer), [a, b]);
    save(&mailbox, inbox, Some(a), 0);
    assert_eq!(found(&fixture, outer), [b]);
    // A message of two folders of the scope stays as long as it is in one.
    set(&mut fixture, outer, Some(&unread()), &[inner, inbox], 0);
    let all = found(&fixture, outer).len();
    save(&mailbox, inbox, Some(b), 0);
    assert_eq!(found(&fixture, outer).len(), all);
    // Neither itself nor in a circle.
    let violation = ErrorCode::SEARCH_FOLDER_SCOPE_VIOLATION;
    for (search, scope) in [(inner, outer), (inner, inner), (outer, outer)] {
        assert_eq!(
            set(&mut fixture, search, None, &[inbox, scope], 0),
            violation
        );
    }
    mailbox.delete_folder(inner, SOFT).unwrap();
    set(&mut fixture, outer, None, &[], 0);
    assert_eq!(found(&fixture, outer).len(), all);
}

#[test]
fn a_count_restriction_around_it_all_finds_the_newest() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "newest");
    let inbox = special::INBOX;
    let ids = [2, 2, 2, 1].map(|value| save(&mailbox, inbox, None, value));
    let newest = Restriction::Count {
        count: 2,
        sub_restriction: Box::new(important()),
    };
    set(&mut fixture, all, Some(&newest), &[inbox], 0);
    assert_eq!(found(&fixture, all), ids[1..3]);
    let new = save(&mailbox, inbox, None, 2);
    assert_eq!(found(&fixture, all), [ids[2], new]);
    mailbox
        .delete_messages(inbox, &[new, ids[2]], true)
        .unwrap();
    assert_eq!(found(&fixture, all), ids[..2]);
    let inside = Restriction::And(vec![newest]);
    let code = set(&mut fixture, all, Some(&inside), &[], 0);
    assert_eq!(code, ErrorCode::TOO_COMPLEX);
}

#[test]
fn who_is_not_the_owner_finds_what_he_may_read() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    let a = save(&mailbox, special::INBOX, None, 2);
    let b = save(&mailbox, special::SENT_ITEMS, None, 2);
    let scope = [special::INBOX, special::SENT_ITEMS];
    set(&mut fixture, all, Some(&important()), &scope, 0);
    let other = LogonObject {
        mailbox: fixture.mailbox(),
        access: Access::Listed(fixture.other.minimal_id),
        progress: false,
    };
    let store = &fixture.store;
    let ids = |logon: &LogonObject| {
        let contents = contents(store, logon, all).unwrap();
        contents.iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&owner(&fixture)), [a, b]);
    assert!(ids(&other).is_empty());
    let list = PermissionsList {
        default: Rights::READ_ANY,
        ..PermissionsList::default()
    };
    let list = list.to_property();
    mailbox
        .update_folder(special::SENT_ITEMS, &[list], &[])
        .unwrap();
    assert_eq!(ids(&other), [b]);
    assert_eq!(entry(store, &other, all, a).unwrap(), None);
    assert!(entry(store, &other, all, b).unwrap().is_some());
    let places = places(store, &other, all, &[a, b]).unwrap();
    assert_eq!(places, [(special::SENT_ITEMS, b)]);
    let folder = mailbox.folder(all).unwrap();
    let counted = |access| counts(store, &mailbox, access, &folder).0.content;
    assert_eq!((counted(Access::Owner), counted(other.access)), (2, 1));
}

#[test]
fn a_copied_search_folder_is_a_search_of_its_own() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    let id = save(&mailbox, special::INBOX, None, 2);
    set(&mut fixture, all, Some(&important()), &[special::INBOX], 0);
    let name = ropewalk_props::Utf16Text::from("copy");
    let copy = mailbox.copy_folder(all, special::FINDER, Some(&name), true);
    let copy = copy.unwrap();
    assert_eq!(found(&fixture, copy), [id]);
    set(
        &mut fixture,
        all,
        Some(&importance(RelOp::EQUAL, 0)),
        &[],
        0,
    );
    assert_eq!(
        (found(&fixture, all), found(&fixture, copy)),
        (vec![], vec![id])
    );
    mailbox.delete_folder(copy, SOFT).unwrap();
    let looked = look(&fixture.store, &mailbox, copy, LONG).unwrap();
    assert!(looked.is_none(), "what is soft-deleted searches nothing");
    assert!(mailbox.entry(special::INBOX, id).unwrap().is_some());
}

/// Numbers that look random, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// All messages that a recursive search from a folder has to find.
fn expected(mailbox: &Mailbox, top: GlobCnt) -> BTreeSet<GlobCnt> {
    let below = mailbox.hierarchy(top, true, false).into_iter();
    let folders = below.map(|(id, _)| id).chain([top]);
    let contents = folders.map(|id| mailbox.contents(id, ContentsView::Normal).unwrap());
    let is_important = |entry: &MessageEntry| {
        let content = mailbox.read_message(entry).unwrap();
        let value = ropewalk_props::BagView::get_i32(&content.view().props, PID_TAG_IMPORTANCE);
        value >= Some(2)
    };
    let mut found = BTreeSet::new();
    for contents in contents {
        let matching = contents.iter().filter(|entry| is_important(entry));
        found.extend(matching.map(|entry| entry.id));
    }
    found
}

/// Messages, folders and searches change at random, while pieces of a search are done at random times
/// and come late: in the end it has found what there is to find.
#[test]
fn whatever_happens_a_dynamic_search_finds_what_matches() {
    for seed in 1..=16 {
        let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let mut fixture = Fixture::new();
        let mailbox = fixture.mailbox();
        let top = folder(&mailbox, special::INBOX, FolderKind::Generic, "top");
        let out = folder(&mailbox, special::INBOX, FolderKind::Generic, "out");
        let all = search(&mailbox, "all");
        let mut folders = vec![top, out];
        let mut messages: Vec<(GlobCnt, GlobCnt)> = Vec::new();
        set(
            &mut fixture,
            all,
            Some(&important()),
            &[top],
            set_flags::RECURSIVE,
        );
        let store = fixture.store.clone();
        let at = Place {
            store: &store,
            mailbox: &mailbox,
        };
        let kept: Arc<Search> = mailbox.derived(all).unwrap();
        kept.is_queued.store(true, Ordering::Relaxed);
        let rule = Rule::new(&important()).unwrap();
        let mut late = Vec::new();
        for step in 0..500 {
            let folder_at = folders[random.below(folders.len())];
            let message = random.below(messages.len());
            match random.below(18) {
                0..=3 => {
                    let id = save(&mailbox, folder_at, None, random.below(4) as i32);
                    messages.push((folder_at, id));
                }
                4 | 11..=13 if !messages.is_empty() => {
                    let (folder, id) = messages[message];
                    save(&mailbox, folder, Some(id), random.below(4) as i32);
                }
                5 if !messages.is_empty() => {
                    let (from, id) = messages[message];
                    let moved = mailbox.move_messages(from, folder_at, &[id]).unwrap();
                    messages[message] = (folder_at, moved.done[0].1);
                }
                6 if !messages.is_empty() => {
                    let (folder, id) = messages.swap_remove(message);
                    let hard = random.below(2) == 0;
                    mailbox.delete_messages(folder, &[id], hard).unwrap();
                }
                7 => {
                    let name = format!("folder {step}");
                    folders.push(folder(&mailbox, folder_at, FolderKind::Generic, &name));
                }
                8 => {
                    let moved = folders[random.below(folders.len())];
                    if moved != top && moved != out {
                        // Into itself, it does not go.
                        let _ = mailbox.move_folder(moved, folder_at, None);
                    }
                }
                9 if random.below(8) == 0 => {
                    // The same again, from the start.
                    let known = mailbox.folder(all).unwrap();
                    let criteria = Criteria::of(&known.props, &store).unwrap().unwrap();
                    let criteria = Criteria {
                        serial: criteria.serial + 1,
                        ..criteria
                    };
                    let set = [(CRITERIA, PropValue::Binary(criteria.encode()))];
                    mailbox.amend_folder(all, &set, &[]).unwrap();
                    look(&store, &mailbox, all, Duration::ZERO).unwrap();
                }
                10 | 14 | 15 => {
                    let chunk = kept.lock().as_mut().and_then(View::claim);
                    late.extend(chunk.map(|chunk| chunk.run(at, &rule)));
                }
                _ => {
                    look(&store, &mailbox, all, Duration::ZERO).unwrap();
                }
            }
            if random.below(8) == 0 && !late.is_empty() {
                let done = late.swap_remove(random.below(late.len()));
                if let Some(view) = kept.lock().as_mut() {
                    view.merge(done);
                }
            }
        }
        for done in late {
            if let Some(view) = kept.lock().as_mut() {
                view.merge(done);
            }
        }
        let found: BTreeSet<GlobCnt> = found(&fixture, all).into_iter().collect();
        assert_eq!(found, expected(&mailbox, top), "seed {seed}");
    }
}

#[test]
fn a_mailbox_has_a_thousand_searches_at_most() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let folders = (0..=crate::limits::SEARCHES_MAX).map(|i| search(&mailbox, &i.to_string()));
    let folders: Vec<GlobCnt> = folders.collect();
    let criteria = Criteria {
        serial: 1,
        flags: 0,
        folders: vec![special::INBOX],
        restriction: restriction_data(&important()),
    };
    let kept = [(CRITERIA, PropValue::Binary(criteria.encode()))];
    let (last, others) = folders.split_last().unwrap();
    for folder in others {
        mailbox.amend_folder(*folder, &kept, &[]).unwrap();
    }
    let inbox = [special::INBOX];
    let code = set(&mut fixture, *last, Some(&unread()), &inbox, 0);
    assert_eq!(code, ErrorCode::NOT_ENOUGH_MEMORY);
    let code = set(&mut fixture, others[0], Some(&unread()), &inbox, 0);
    assert_eq!(code, ErrorCode(0), "one that has criteria gets others");
    mailbox.delete_folder(others[1], SOFT).unwrap();
    let code = set(&mut fixture, *last, Some(&unread()), &inbox, 0);
    assert_eq!(code, ErrorCode(0));
}

#[test]
fn work_that_is_never_done_stops_a_search_and_nobody_waits_for_it() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    save(&mailbox, special::INBOX, None, 2);
    begun(&mut fixture, all, 0);
    let kept: Arc<Search> = mailbox.derived(all).unwrap();
    let id = view_id(&fixture, all);
    let claimed = kept.lock().as_mut().and_then(View::claim);
    assert!(claimed.is_some());
    drop(Working { search: &kept, id });
    assert_eq!(stage(&fixture, all), Stage::Stopped);
    let new = save(&mailbox, special::INBOX, None, 2);
    assert_eq!(found(&fixture, all), [new]);
}

#[test]
fn threads_go_on_with_a_search_that_nobody_waits_for() {
    let mut fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let all = search(&mailbox, "important");
    let ids: Vec<GlobCnt> = (0..600)
        .map(|_| save(&mailbox, special::INBOX, None, 2))
        .collect();
    begun(&mut fixture, all, 0);
    let kept: Arc<Search> = mailbox.derived(all).unwrap();
    kept.is_queued.store(false, Ordering::Relaxed);
    let until = Instant::now() + LONG;
    while stage(&fixture, all) != Stage::Complete && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(found(&fixture, all), ids);
}

#[test]
fn criteria_are_read_back_as_they_were_kept_and_nothing_else_is() {
    let criteria = Criteria {
        serial: 3,
        flags: set_flags::RECURSIVE | set_flags::STOP,
        folders: vec![GlobCnt(5), GlobCnt(7)],
        restriction: restriction_data(&important()),
    };
    let fixture = Fixture::new();
    let read = |bytes: &[u8]| {
        let mut bag = Bag::new();
        bag.set(CRITERIA, &PropValue::Binary(bytes.to_vec()));
        Criteria::of(&bag, &fixture.store).unwrap()
    };
    let kept = criteria.encode();
    assert_eq!(read(&kept), Some(criteria));
    for length in 0..27 {
        assert_eq!(read(&kept[..length]), None, "{length}");
    }
    assert_eq!(read(&[&[9], &kept[1..]].concat()), None);
    let mut other = Bag::new();
    other.set(PropTag(0x67FC_0003), &PropValue::Integer32(1));
    assert_eq!(Criteria::of(&other, &fixture.store), Ok(None));
}
