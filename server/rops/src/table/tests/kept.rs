//! Many tables of one folder, which have their orders in common, at different moments.

use proptest::prelude::*;
use ropewalk_store::SaveMessage;

use super::*;

const COLUMNS: [PropTag; 2] = MID_AND_SUBJECT;
const SUBJECTS: [&str; 6] = ["", "a", "B", "b", "Zo\u{eb}", "zoe"];

/// A column and whether the order is a descending one.
const ORDERS: [&[(PropTag, u8)]; 7] = [
    &[],
    &[(tags::PID_TAG_SUBJECT, 0)],
    &[(tags::PID_TAG_SUBJECT, 1)],
    &[(tags::PID_TAG_MESSAGE_DELIVERY_TIME, 1)],
    &[(tags::PID_TAG_IMPORTANCE, 0)],
    &[(tags::PID_TAG_SUBJECT, 0), (tags::PID_TAG_IMPORTANCE, 1)],
    &[(tags::PID_TAG_READ, 1)],
];

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
        2 => (0..ORDERS.len()).prop_map(Step::Open),
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
        self.id.cmp(&other.id)
    }
}

struct Table {
    handle: u32,
    orders: &'static [(PropTag, u8)],
    /// A bookmark and its message.
    mark: Option<(Vec<u8>, GlobCnt)>,
}

fn look(fixture: &mut Fixture, table: &Table, mails: &[Mail]) {
    let mut sorted = mails.to_vec();
    sorted.sort_by(|a, b| a.cmp(b, table.orders));
    let wanted: Vec<GlobCnt> = sorted.iter().map(|mail| mail.id).collect();
    assert_eq!(
        fixture.mids(table.handle, &COLUMNS),
        wanted,
        "{:?}",
        table.orders
    );
    let Some((mark, id)) = &table.mark else {
        return;
    };
    let (is_gone, ..) = seek_bookmark(fixture, table.handle, mark, 0).unwrap();
    let place = wanted.iter().position(|known| known == id);
    assert_eq!(is_gone, place.is_none());
    if let Some(place) = place {
        assert_eq!(position(fixture, table.handle).0 as usize, place);
    }
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
                let handle = fixture.contents_table(logon, folder, &COLUMNS);
                if !ORDERS[n].is_empty() {
                    assert_eq!(sort_by(handle, &mut fixture, ORDERS[n]), ErrorCode(0));
                }
                let (orders, mark) = (ORDERS[n], None);
                tables.push(Table {
                    handle,
                    orders,
                    mark,
                });
            }
            Step::Look(n) => {
                if let Some(table) = tables.get(n) {
                    look(&mut fixture, table, &mails);
                }
            }
            Step::Mark(n, at) => {
                if let Some(table) = tables.get_mut(n) {
                    let ids = fixture.mids(table.handle, &COLUMNS);
                    seek_outcome(&mut fixture, table.handle, 0, at);
                    table.mark = ids
                        .get(at as usize)
                        .map(|id| (bookmark(&mut fixture, table.handle), *id));
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
            steps.extend((0..ORDERS.len()).map(Step::Open));
        }
    }
    steps.extend((0..ORDERS.len()).map(Step::Look));
    for n in 0..300 {
        let (subject, time, importance) = content(n * 3);
        steps.push(Step::Change(n * 4, subject, time, importance));
        steps.push(Step::Delete(n * 3 % 1000));
        steps.push(Step::Look(n % 28));
    }
    run(steps);
}
