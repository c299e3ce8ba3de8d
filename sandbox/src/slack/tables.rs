//! Short-lived permissions that Slack hands to an app: triggers to open a modal, URLs to answer at.

use std::collections::HashMap;

/// How long a trigger is good for.
const TRIGGER_MS: i64 = 3_000;
/// How long a `response_url` is good for.
const RESPONSE_URL_MS: i64 = 30 * 60 * 1000;
/// How often.
const RESPONSE_URL_USES: u8 = 5;

/// The right to show somebody a modal.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    /// Who acted.
    pub(crate) user: String,
    /// The view in which they acted, if it was one: a push goes on top of it.
    pub(crate) view: Option<String>,
    expires_ms: i64,
    used: bool,
}

/// The right to answer somebody.
#[derive(Debug, Clone)]
pub(crate) struct ResponseUrl {
    /// Who acted.
    pub(crate) user: String,
    /// Where.
    pub(crate) channel: String,
    /// The message that `replace_original` changes: the one with the button, or a command's last answer.
    pub(crate) original: Option<Original>,
    expires_ms: i64,
    uses: u8,
}

/// A message by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Original {
    /// In the channel.
    Message(String),
    /// Before one person.
    Ephemeral(String),
}

/// What was handed out.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    triggers: HashMap<String, Trigger>,
    response_urls: HashMap<String, ResponseUrl>,
}

impl Tables {
    /// A new trigger's id.
    pub(crate) fn trigger(&mut self, user: &str, view: Option<String>, now_ms: i64) -> String {
        self.triggers.retain(|_, trigger| now_ms - trigger.expires_ms < 60_000);
        let id = format!("{}.{}.{:032x}", now_ms, rand::random::<u32>(), rand::random::<u128>());
        let trigger = Trigger {
            user: user.to_owned(),
            view,
            expires_ms: now_ms + TRIGGER_MS,
            used: false,
        };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// Uses a trigger up, or says why not with Slack's code.
    pub(crate) fn spend(&mut self, id: &str, now_ms: i64) -> Result<Trigger, &'static str> {
        let trigger = self.triggers.get_mut(id).ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if now_ms > trigger.expires_ms {
            return Err("expired_trigger_id");
        }
        trigger.used = true;
        Ok(trigger.clone())
    }

    /// A new `response_url`'s token.
    pub(crate) fn response_url(
        &mut self,
        user: &str,
        channel: &str,
        original: Option<Original>,
        now_ms: i64,
    ) -> String {
        self.response_urls
            .retain(|_, url| now_ms - url.expires_ms < RESPONSE_URL_MS);
        let token = format!("{:032x}", rand::random::<u128>());
        let url = ResponseUrl {
            user: user.to_owned(),
            channel: channel.to_owned(),
            original,
            expires_ms: now_ms + RESPONSE_URL_MS,
            uses: 0,
        };
        self.response_urls.insert(token.clone(), url);
        token
    }

    /// Counts one use, or says why not with Slack's code.
    pub(crate) fn answer(&mut self, token: &str, now_ms: i64) -> Result<ResponseUrl, &'static str> {
        let url = self.response_urls.get_mut(token).ok_or("invalid_url")?;
        if now_ms > url.expires_ms {
            return Err("expired_url");
        }
        if url.uses >= RESPONSE_URL_USES {
            return Err("used_url");
        }
        url.uses += 1;
        Ok(url.clone())
    }

    /// What a URL is for, without using it.
    pub(crate) fn peek(&self, token: &str) -> Option<ResponseUrl> {
        self.response_urls.get(token).cloned()
    }

    /// From now on `replace_original` changes this message.
    pub(crate) fn answered_with(&mut self, token: &str, original: Original) {
        if let Some(url) = self.response_urls.get_mut(token) {
            url.original.get_or_insert(original);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tables;

    #[test]
    fn a_trigger_opens_one_modal_within_three_seconds() {
        let mut tables = Tables::default();
        let first = tables.trigger("U0ANN", None, 1_000);
        assert_eq!(tables.spend(&first, 4_000).unwrap().user, "U0ANN");
        assert_eq!(tables.spend(&first, 4_000).unwrap_err(), "exchanged_trigger_id");
        let late = tables.trigger("U0ANN", None, 1_000);
        assert_eq!(tables.spend(&late, 4_001).unwrap_err(), "expired_trigger_id");
        assert_eq!(tables.spend("made-up", 1_000).unwrap_err(), "invalid_trigger_id");
    }

    #[test]
    fn a_response_url_is_good_for_five_uses_in_thirty_minutes() {
        let mut tables = Tables::default();
        let url = tables.response_url("U0ANN", "C0DEPLOYS", None, 0);
        let used = (0..9).map_while(|_| tables.answer(&url, 1_800_000).ok()).count();
        assert_eq!(used, 5);
        assert_eq!(tables.answer(&url, 0).unwrap_err(), "used_url");
        let late = tables.response_url("U0ANN", "C0DEPLOYS", None, 0);
        assert_eq!(tables.answer(&late, 1_800_001).unwrap_err(), "expired_url");
    }
}
