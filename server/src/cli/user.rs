//! `ropewalk user`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    Failure,
    args::{PasswordArgs, UserArgs, UserCommand},
    data_dir, password, print, unexpected,
};
use crate::{
    admin::{Admin, Request, Response, UserDetails, UserInfo},
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
            data_dir::make(&args.data_dir)?;
            let mut admin = Admin::open(&args.data_dir, true)?;
            let response = admin.call(request, Vec::new())?;
            admin.close()?;
            let Response::User(user) = response else {
                return Err(unexpected());
            };
            print(&format!("added {}\n{}", user.email, told(made)))
        }
        UserCommand::List { json } => {
            let Response::Users(users) = ask(&args.data_dir, Request::ListUsers)? else {
                return Err(unexpected());
            };
            print(&if json { to_json(&users)? } else { list(&users) })
        }
        UserCommand::Show { email, json } => {
            let request = Request::ShowUser { email };
            let Response::Details(user) = ask(&args.data_dir, request)? else {
                return Err(unexpected());
            };
            print(&if json { to_json(&user)? } else { show(&user) })
        }
        UserCommand::Passwd { email, password } => {
            let (password_hash, made) = new_password(&password)?;
            let said = format!("{email} has a new password\n{}", told(made));
            ask(
                &args.data_dir,
                Request::SetPassword {
                    email,
                    password_hash,
                },
            )?;
            print(&said)
        }
        UserCommand::Remove { email } => {
            let said = format!("removed {email}\n");
            ask(&args.data_dir, Request::RemoveUser { email })?;
            print(&said)
        }
    }
}

fn ask(data_dir: &std::path::Path, request: Request) -> Result<Response, Failure> {
    let mut admin = Admin::open(data_dir, false)?;
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
    let UserDetails { user, folders } = details;
    let mut text = format!(
        "{}\n  name       {}\n  legacy DN  {}\n  mailbox    {}\n\n",
        user.email, user.display_name, user.legacy_dn, user.mailbox_guid
    );
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
