//! What administrators do: archive and rename channels, change user groups.

use super::act::Denied;
use super::{Workspace, events};

fn no_channel() -> Denied {
    Denied::new(404, "channel_not_found", "there is no such channel")
}

impl Workspace {
    /// Archives a channel, or brings it back; the bot hears of it.
    pub(crate) fn archive(&mut self, channel: &str, archived: bool, now_ms: i64) -> Result<(), Denied> {
        let at = self.next_ts(now_ms);
        let found = self.channel_mut(channel).ok_or_else(no_channel)?;
        found.is_archived = archived;
        let event = events::archived(found, "U0CARLA", &at);
        self.raise(channel, event);
        Ok(())
    }

    /// Gives a channel another name; the bot hears of it.
    pub(crate) fn rename(&mut self, channel: &str, name: &str, now_ms: i64) -> Result<(), Denied> {
        let fits = |c: char| c.is_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if name.is_empty() || name.chars().count() > 80 || !name.chars().all(fits) {
            return Err(Denied::new(
                400,
                "invalid_name",
                "a channel's name is at most 80 lower-case letters, digits, - and _",
            ));
        }
        if self
            .channels
            .iter()
            .any(|other| other.name == name && other.id != channel)
        {
            return Err(Denied::new(409, "name_taken", "another channel has this name"));
        }
        let at = self.next_ts(now_ms);
        let found = self.channel_mut(channel).ok_or_else(no_channel)?;
        let old = std::mem::replace(&mut found.name, name.to_owned());
        found.previous_names.push(old);
        let event = events::renamed(found, &at);
        self.raise(channel, event);
        Ok(())
    }

    /// Gives a user group other members; the bot hears of it.
    pub(crate) fn set_group(&mut self, id: &str, users: Vec<String>, now_ms: i64) -> Result<(), Denied> {
        if let Some(unknown) = users.iter().find(|user| self.person(user).is_none()) {
            return Err(Denied::new(404, "user_not_found", format!("there is no {unknown}")));
        }
        let found = self.groups.iter_mut().find(|group| group.id == id);
        let group = found.ok_or_else(|| Denied::new(404, "group_not_found", "there is no such group"))?;
        let before = std::mem::replace(&mut group.users, users);
        let event = events::members_changed(group, &before, now_ms);
        self.raised.push(event);
        Ok(())
    }
}
