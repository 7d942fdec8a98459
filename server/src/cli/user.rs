//! `ropewalk user`.

use std::fmt::Write as _;

use indicatif::BinaryBytes;
use serde::Serialize;

use super::{
    Failure,
    args::{PasswordArgs, StorePlace, UserArgs, UserCommand},
    key, password, print, unexpected,
};
use crate::{
    admin::{Admin, QuotaInfo, Request, Response, UserDetails, UserInfo},
    auth,
    provision::Email,
};

/// Runs one `user` command.
pub fn run(args: UserArgs) -> Result<(), Failure> {
    match args.command {
        UserCommand::Add {
            email,
            name,
            password,
        } => {
            let (hash, made) = new_password(&password)?;
            let request = add_request(&email, name, hash);
            let options = key::options(&args.place)?;
            let mut admin = Admin::open(&args.place.data_dir, &options, true)?;
            let response = admin.call(request, Vec::new())?;
            admin.close()?;
            let Response::User(user) = response else {
                return Err(unexpected());
            };
            print(&format!("added {}\n{}", user.email, told(made)))
        }
        UserCommand::List { json } => {
            let Response::Users(users) = ask(&args.place, Request::ListUsers)? else {
                return Err(unexpected());
            };
            print(&if json { to_json(&users)? } else { list(&users) })
        }
        UserCommand::Show { email, json } => {
            let request = Request::ShowUser { email };
            let Response::Details(user) = ask(&args.place, request)? else {
                return Err(unexpected());
            };
            print(&if json { to_json(&user)? } else { show(&user) })
        }
        UserCommand::Passwd { email, password } => {
            let (password_hash, made) = new_password(&password)?;
            let said = format!("{email} has a new password\n{}", told(made));
            ask(
                &args.place,
                Request::SetPassword {
                    email,
                    password_hash,
                },
            )?;
            print(&said)
        }
        UserCommand::Quota {
            email,
            warn,
            send,
            receive,
        } => {
            let said = format!("{email} has another quota\n");
            let quota = QuotaInfo {
                warn,
                send,
                receive,
            };
            ask(&args.place, Request::SetQuota { email, quota })?;
            print(&said)
        }
        UserCommand::Remove { email } => {
            let said = format!("removed {email}\n");
            ask(&args.place, Request::RemoveUser { email })?;
            print(&said)
        }
    }
}

fn ask(place: &StorePlace, request: Request) -> Result<Response, Failure> {
    let mut admin = Admin::open(&place.data_dir, &key::options(place)?, false)?;
    let response = admin.call(request, Vec::new())?;
    admin.close()?;
    Ok(response)
}

fn add_request(email: &Email, name: Option<String>, password_hash: String) -> Request {
    Request::AddUser {
        email: email.as_str().to_owned(),
        display_name: name.unwrap_or_else(|| email.local().to_owned()),
        password_hash,
    }
}

/// The hash of the new password, and the password itself if it was made here.
fn new_password(args: &PasswordArgs) -> Result<(String, Option<String>), Failure> {
    if args.password_stdin {
        return Ok((auth::hash_password(&password::from_stdin()?)?, None));
    }
    let made = password::make()?;
    Ok((auth::hash_password(&made)?, Some(made)))
}

fn told(made: Option<String>) -> String {
    made.map(|password| format!("password: {password}\n"))
        .unwrap_or_default()
}

fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

fn list(users: &[UserInfo]) -> String {
    let width = users.iter().map(|user| user.email.chars().count()).max();
    let width = width.unwrap_or_default();
    users.iter().fold(String::new(), |mut text, user| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {}", user.email, user.display_name);
        text
    })
}

fn show(details: &UserDetails) -> String {
    let UserDetails {
        user,
        bytes,
        quota,
        folders,
    } = details;
    let mut text = format!(
        "{}\n  name       {}\n  legacy DN  {}\n  mailbox    {}\n",
        user.email, user.display_name, user.legacy_dn, user.mailbox_guid
    );
    let limits = [
        ("warned at", quota.warn),
        ("nothing sent beyond", quota.send),
        ("nothing saved beyond", quota.receive),
    ];
    let limits = limits.iter().filter_map(|(what, limit)| {
        let limit = BinaryBytes(u64::from((*limit)?) << 10);
        Some(format!(", {what} {limit}"))
    });
    let limits: String = limits.collect();
    let _ = writeln!(text, "  size       {}{limits}\n", BinaryBytes(*bytes));
    let _ = writeln!(text, "{:>9} {:>7}  folder", "messages", "unread");
    for folder in folders {
        let _ = writeln!(
            text,
            "{:>9} {:>7}  {}",
            folder.messages, folder.unread, folder.path
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::FolderInfo;

    fn user(email: &str) -> UserInfo {
        UserInfo {
            email: email.to_owned(),
            display_name: "Ada".to_owned(),
            legacy_dn: "/o=R/cn=ada".to_owned(),
            mailbox_guid: "g".to_owned(),
        }
    }

    #[test]
    fn the_list_is_aligned() {
        let text = list(&[user("a@b.test"), user("long@b.test")]);
        assert_eq!(text, "a@b.test     Ada\nlong@b.test  Ada\n");
        assert_eq!(list(&[]), "");
    }

    #[test]
    fn json_has_the_agreed_names() {
        let details = UserDetails {
            user: user("a@b.test"),
            bytes: 3 << 20,
            quota: QuotaInfo {
                warn: Some(2048),
                ..QuotaInfo::default()
            },
            folders: vec![FolderInfo {
                path: "Inbox".to_owned(),
                messages: 2,
                unread: 1,
            }],
        };
        let json: serde_json::Value = serde_json::from_str(&to_json(&details).unwrap()).unwrap();
        for key in ["email", "display_name", "legacy_dn", "mailbox_guid"] {
            assert!(json[key].is_string(), "{key}");
        }
        assert_eq!(json["folders"][0]["unread"], 1);
        assert_eq!(json["quota"]["warn"], 2048);
        assert!(show(&details).contains("size       3.00 MiB, warned at 2.00 MiB\n"));
        assert!(show(&details).contains("        2       1  Inbox\n"));
    }

    #[test]
    fn a_user_without_a_name_gets_the_local_part() {
        let email = Email::parse("ada@b.test").unwrap();
        let Request::AddUser { display_name, .. } = add_request(&email, None, String::new()) else {
            panic!("AddUser")
        };
        assert_eq!(display_name, "ada");
    }
}
