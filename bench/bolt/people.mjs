// Who is who, from Slack, kept for a minute.

const GOOD_FOR = 60_000;

export class People {
  #client;
  #home;
  #kept = new Map();

  constructor(client, home) {
    this.#client = client;
    this.#home = home;
  }

  async start() {
    await this.#client.auth.test({ token: this.#home.botToken });
  }

  async #cached(key, ask) {
    const kept = this.#kept.get(key);
    if (kept && Date.now() - kept.at < GOOD_FOR) return kept.value;
    const value = ask();
    this.#kept.set(key, { at: Date.now(), value });
    // A failure is not kept: the next one asks again.
    value.catch(() => this.#kept.delete(key));
    return value;
  }

  // A person and whether they belong here.
  async person(id, team) {
    const token = this.#home.botToken;
    const { user } = await this.#cached(id, () => this.#client.users.info({ token, user: id }));
    const why = this.#whyNot(user, team);
    return { id, name: user.profile.display_name || user.real_name, standing: why ? "other" : "member", why };
  }

  #whyNot(user, team) {
    if (team !== this.#home.teamId || user.team_id !== this.#home.teamId || user.is_stranger)
      return "You belong to another workspace. Only members of this one may use Signalbox.";
    if (user.deleted) return "This account is deactivated.";
    if (user.is_bot) return "Bots may not use Signalbox.";
    if (user.is_restricted || user.is_ultra_restricted) return "Guests may not use Signalbox. Ask a full member of this workspace.";
    return null;
  }

  // The members of a group.
  async members(group) {
    const token = this.#home.botToken;
    const { users } = await this.#cached(group, () => this.#client.usergroups.users.list({ token, usergroup: group }));
    return users;
  }
}
