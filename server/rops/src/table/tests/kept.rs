//! Many tables of one folder, which have their orders in common, at different moments.

use proptest::prelude::*;
use ropewalk_store::SaveMessage;
use ropewalk_wire::Mid;

use super::*;

const COLUMNS: [PropTag; 2] = MID_AND_SUBJECT;
const SUBJECTS: [&str; 6] = ["", "a", "B", "b", "Zo\u{eb}", "zoe"];

/// A column and whether the order is a descending one.
type Orders = &'static [(PropTag, u8)];

/// Which messages a table shows, and how.
#[derive(Clone, Copy, Debug)]
struct View {
    orders: Orders,
    only: Only,
    /// Grouped by the first column, with the headers expanded or not.
    grouped: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Only {
    All,
    Unread,
    /// Of the conversation about "B" or "b".
    Conversation,
    Important,
}

const fn view(orders: Orders, only: Only, grouped: Option<bool>) -> View {
    View {
        orders,
        only,
        grouped,
    }
}

const BY_SUBJECT: Orders = &[(tags::PID_TAG_SUBJECT, 0)];
const BY_SUBJECT_DOWN: Orders = &[(tags::PID_TAG_SUBJECT, 1)];
const NEWEST_FIRST: Orders = &[(tags::PID_TAG_MESSAGE_DELIVERY_TIME, 1)];
const BY_IMPORTANCE: Orders = &[(tags::PID_TAG_IMPORTANCE, 0)];
const BY_BOTH: Orders = &[(tags::PID_TAG_SUBJECT, 0), (tags::PID_TAG_IMPORTANCE, 1)];
const READ_FIRST: Orders = &[(tags::PID_TAG_READ, 1)];

const VIEWS: [View; 15] = [
    view(&[], Only::All, None),
    view(BY_SUBJECT, Only::All, None),
    view(BY_SUBJECT_DOWN, Only::All, None),
    view(NEWEST_FIRST, Only::All, None),
    view(BY_IMPORTANCE, Only::All, None),
    view(BY_BOTH, Only::All, None),
    view(READ_FIRST, Only::All, None),
    view(&[], Only::Unread, None),
    view(BY_SUBJECT, Only::Unread, None),
    view(&[], Only::Conversation, None),
    view(NEWEST_FIRST, Only::Conversation, None),
    view(BY_SUBJECT, Only::Important, None),
    view(BY_BOTH, Only::All, Some(true)),
    view(BY_IMPORTANCE, Only::All, Some(false)),
    view(BY_SUBJECT_DOWN, Only::Unread, Some(true)),
];

/// PidTagConversationId of the messages about a subject.
fn conversation(subject: usize) -> Option<[u8; 16]> {
    crate::message::conversation::id(&Mail::message(subject, 0, 0).props)
}

impl Only {
    fn restriction(self) -> Option<Restriction> {
        Some(match self {
            Self::All => return None,
            Self::Unread => Restriction::BitMask {
                bitmap_rel_op: 0,
                prop_tag: tags::PID_TAG_MESSAGE_FLAGS,
                mask: 1,
            },
            Self::Conversation => property(
                RelOp::EQUAL,
                tags::PID_TAG_CONVERSATION_ID,
                PropValue::Binary(conversation(2).unwrap().to_vec()),
            ),
            Self::Important => property(
                RelOp::GREATER_THAN,
                tags::PID_TAG_IMPORTANCE,
                PropValue::Integer32(0),
            ),
        })
    }

    fn shows(self, mail: &Mail) -> bool {
        match self {
            Self::All => true,
            Self::Unread => !mail.read,
            Self::Conversation => [2, 3].contains(&mail.subject),
            Self::Important => mail.importance > 0,
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize, u64, i32),
    /// The nth message gets another content.
    Change(usize, usize, u64, i32),
    Read(usize),
    Delete(usize),
    /// A table of this order is opened.
    Open(usize),
    /// The nth table is looked at.
    Look(usize),
    /// The nth table remembers a row.
    Mark(usize, i32),
    Close(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (subject, time, importance) = (0..SUBJECTS.len(), 0..5_u64, 0..3_i32);
    let content = (subject, time, importance);
    prop_oneof![
        3 => content.clone().prop_map(|(s, t, i)| Step::Add(s, t, i)),
        2 => (0..30_usize, content).prop_map(|(n, (s, t, i))| Step::Change(n, s, t, i)),
        1 => (0..30_usize).prop_map(Step::Read),
        2 => (0..30_usize).prop_map(Step::Delete),
        3 => (0..VIEWS.len()).prop_map(Step::Open),
        3 => (0..9_usize).prop_map(Step::Look),
        1 => (0..9_usize, 0..9_i32).prop_map(|(n, at)| Step::Mark(n, at)),
        1 => (0..9_usize).prop_map(Step::Close),
    ]
}

#[derive(Clone)]
struct Mail {
    id: GlobCnt,
    subject: usize,
    time: u64,
    importance: i32,
    read: bool,
}

impl Mail {
    fn message(subject: usize, time: u64, importance: i32) -> Message {
        let props = [
            (tags::PID_TAG_SUBJECT, PropValue::text(SUBJECTS[subject])),
            (
                tags::PID_TAG_CONVERSATION_TOPIC,
                PropValue::text(SUBJECTS[subject]),
            ),
            (
                tags::PID_TAG_MESSAGE_DELIVERY_TIME,
                PropValue::Time(FileTime(time)),
            ),
            (tags::PID_TAG_IMPORTANCE, PropValue::Integer32(importance)),
        ];
        Message {
            props: props.into_iter().collect(),
            ..Message::default()
        }
    }

    fn cmp(&self, other: &Self, orders: &[(PropTag, u8)]) -> std::cmp::Ordering {
        let order = self.cmp_by(other, orders);
        order.then_with(|| self.id.cmp(&other.id))
    }

    fn cmp_by(&self, other: &Self, orders: &[(PropTag, u8)]) -> std::cmp::Ordering {
        for (tag, descending) in orders {
            let folded = |mail: &Self| SUBJECTS[mail.subject].to_lowercase();
            let order = match *tag {
                tags::PID_TAG_SUBJECT => folded(self).cmp(&folded(other)),
                tags::PID_TAG_MESSAGE_DELIVERY_TIME => self.time.cmp(&other.time),
                tags::PID_TAG_IMPORTANCE => self.importance.cmp(&other.importance),
                _ => self.read.cmp(&other.read),
            };
            let order = if *descending == 1 {
                order.reverse()
            } else {
                order
            };
            if order.is_ne() {
                return order;
            }
        }
        std::cmp::Ordering::Equal
    }
}

struct Table {
    handle: u32,
    view: View,
    /// A bookmark and its message.
    mark: Option<(Vec<u8>, GlobCnt)>,
}

/// The rows that a table has to show: a message's id, or of a header its counts.
fn rows(view: View, mails: &[Mail]) -> Vec<Result<GlobCnt, (i32, i32)>> {
    let mut sorted: Vec<&Mail> = mails.iter().filter(|mail| view.only.shows(mail)).collect();
    sorted.sort_by(|a, b| a.cmp(b, view.orders));
    let Some(expanded) = view.grouped else {
        return sorted.iter().map(|mail| Ok(mail.id)).collect();
    };
    let first = &view.orders[..1];
    let groups = sorted.chunk_by(|a, b| a.cmp_by(b, first).is_eq());
    let rows = groups.flat_map(|group| {
        let unread = group.iter().filter(|mail| !mail.read).count();
        let header = Err((group.len() as i32, unread as i32));
        let below = group.iter().filter(|_| expanded).map(|mail| Ok(mail.id));
        std::iter::once(header).chain(below)
    });
    rows.collect()
}

/// The rows that a table shows.
fn shown(fixture: &mut Fixture, table: u32) -> Vec<Result<GlobCnt, (i32, i32)>> {
    let mut column = |tag: PropTag| {
        fixture.set_columns(table, &[tag]);
        fixture.ok(table, seek(0, 0));
        let (_, rows) = fixture.query(table, &[tag], forward(u16::MAX));
        let first = rows.iter().map(|row| row.cells[0].value().cloned());
        first.collect::<Vec<_>>()
    };
    let (ids, counts, unread) = (
        column(tags::PID_TAG_INST_ID),
        column(tags::PID_TAG_CONTENT_COUNT),
        column(tags::PID_TAG_CONTENT_UNREAD_COUNT),
    );
    let rows = ids.iter().zip(&counts).zip(&unread);
    rows.map(|row| match row {
        ((_, Some(PropValue::Integer32(count))), Some(PropValue::Integer32(unread))) => {
            Err((*count, *unread))
        }
        ((Some(PropValue::Integer64(id)), None), None) => Ok(Mid::from_u64(*id as u64).globcnt()),
        other => panic!("{other:?}"),
    })
    .collect()
}

fn look(fixture: &mut Fixture, table: &Table, mails: &[Mail]) {
    let wanted = rows(table.view, mails);
    assert_eq!(shown(fixture, table.handle), wanted, "{:?}", table.view);
    let Some((mark, id)) = &table.mark else {
        return;
    };
    let (is_gone, ..) = seek_bookmark(fixture, table.handle, mark, 0).unwrap();
    let place = wanted.iter().position(|known| *known == Ok(*id));
    assert_eq!(is_gone, place.is_none());
    if let Some(place) = place {
        assert_eq!(position(fixture, table.handle).0 as usize, place);
    }
}

/// A table of the Inbox.
fn open(fixture: &mut Fixture, logon: u32, view: View) -> u32 {
    let handle = fixture.contents_table(logon, special::INBOX, &COLUMNS);
    if let Some(restriction) = view.only.restriction() {
        assert_eq!(restrict(handle, fixture, &restriction), ErrorCode(0));
    }
    let orders = view.orders.iter();
    let orders: Vec<SortOrder> = (orders.map(|(tag, order)| (*tag, *order)))
        .map(|(tag, order)| SortOrder { tag, order })
        .collect();
    let sort_orders = SortOrderSet {
        categorized_count: view.grouped.is_some().into(),
        expanded_count: (view.grouped == Some(true)).into(),
        sort_orders: (&orders[..]).into(),
    };
    let body = SortTableRequest {
        sort_table_flags: 0,
        sort_orders,
    };
    fixture.ok(handle, RequestBody::SortTable(body));
    handle
}

fn run(steps: Vec<Step>) {
    let (mut fixture, logon) = Fixture::logged_on();
    let mailbox = fixture.mailbox();
    let folder = special::INBOX;
    let mut mails: Vec<Mail> = Vec::new();
    let mut tables: Vec<Table> = Vec::new();
    for step in steps {
        match step {
            Step::Add(subject, time, importance) => {
                let id = fixture.save(folder, Mail::message(subject, time, importance));
                mails.push(Mail {
                    id,
                    subject,
                    time,
                    importance,
                    read: false,
                });
            }
            Step::Change(n, subject, time, importance) => {
                if let Some(mail) = mails.get_mut(n) {
                    let save = SaveMessage {
                        folder,
                        id: Some(mail.id),
                        associated: false,
                        read: None,
                        expected_cn: None,
                        message: Mail::message(subject, time, importance),
                    };
                    mailbox.save_message(save).unwrap();
                    *mail = Mail {
                        subject,
                        time,
                        importance,
                        ..*mail
                    };
                }
            }
            Step::Read(n) => {
                if let Some(mail) = mails.get_mut(n) {
                    mail.read = !mail.read;
                    mailbox.set_read(folder, &[mail.id], mail.read).unwrap();
                }
            }
            Step::Delete(n) => {
                if n < mails.len() {
                    let mail = mails.remove(n);
                    mailbox.delete_messages(folder, &[mail.id], true).unwrap();
                }
            }
            Step::Open(n) => {
                let (view, mark) = (VIEWS[n], None);
                let handle = open(&mut fixture, logon, view);
                tables.push(Table { handle, view, mark });
            }
            Step::Look(n) => {
                if let Some(table) = tables.get(n) {
                    look(&mut fixture, table, &mails);
                }
            }
            Step::Mark(n, at) => {
                if let Some(table) = tables.get_mut(n) {
                    let ids = shown(&mut fixture, table.handle);
                    seek_outcome(&mut fixture, table.handle, 0, at);
                    table.mark = match ids.get(at as usize) {
                        Some(Ok(id)) => Some((bookmark(&mut fixture, table.handle), *id)),
                        _ => None,
                    };
                }
            }
            Step::Close(n) => {
                if n < tables.len() {
                    fixture.release(tables.remove(n).handle);
                }
            }
        }
    }
    for table in &tables {
        look(&mut fixture, table, &mails);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn tables_of_one_folder_show_it_as_it_is_whenever_they_are_looked_at(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        run(steps);
    }
}

#[test]
fn a_folder_of_many_messages_is_shown_in_order_while_it_changes() {
    let mut steps: Vec<Step> = Vec::new();
    let content = |n: usize| {
        (
            n * 7 % SUBJECTS.len(),
            (n * 11 % 5) as u64,
            (n * 13 % 3) as i32,
        )
    };
    for n in 0..1500 {
        let (subject, time, importance) = content(n);
        steps.push(Step::Add(subject, time, importance));
        if n % 400 == 0 {
            steps.extend((0..VIEWS.len()).map(Step::Open));
        }
    }
    steps.extend((0..VIEWS.len()).map(Step::Look));
    for n in 0..300 {
        let (subject, time, importance) = content(n * 3);
        steps.push(Step::Change(n * 4, subject, time, importance));
        steps.push(Step::Delete(n * 3 % 1000));
        steps.push(Step::Look(n % 60));
    }
    run(steps);
}
