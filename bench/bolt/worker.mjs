// Carries out what clicks owe: the card of the run that was voted on. While Slack asks to slow down, the effect goes back to the outbox.

const AT_ONCE = 16;
const LEASE = 40_000;

export class Worker {
  #store;
  #client;
  #home;
  #quietUntil = 0;
  // Services that are worked for, and whether they were poked again meanwhile.
  #busy = new Map();

  constructor(store, client, home) {
    this.#store = store;
    this.#client = client;
    this.#home = home;
  }

  // From when on Slack wants to hear of cards: an effect that is due before would only be put back.
  get quietUntil() {
    return this.#quietUntil;
  }

  // Something of this service is due.
  poke(slot) {
    if (this.#busy.has(slot)) {
      this.#busy.set(slot, true);
      return;
    }
    this.#busy.set(slot, false);
    this.#work(slot)
      .catch((error) => console.error("a worker stopped", error.message))
      .finally(() => {
        const again = this.#busy.get(slot);
        this.#busy.delete(slot);
        if (again) this.poke(slot);
      });
  }

  async #work(slot) {
    for (;;) {
      const { now, effects } = await this.#store.poll(slot, AT_ONCE, LEASE);
      if (effects.length === 0) return;
      await Promise.all(effects.map((effect) => this.#carryOut(slot, effect, now)));
    }
  }

  async #carryOut(slot, effect, now) {
    if (effect.body.effect === "draw_card" && Date.now() >= this.#quietUntil) {
      const { records } = await this.#store.load(slot, [effect.body.run], {});
      const run = records.get(effect.body.run).fold;
      try {
        const text = `${run.pinned.service}: ${run.votes.length} approvals`;
        await this.#client.chat.update({ token: this.#home.botToken, channel: run.card.channel, ts: run.card.ts, text, blocks: [] });
        return this.#store.finish(slot, effect, now, null);
      } catch (error) {
        this.#quietUntil = Date.now() + (error.retryAfter ?? 30) * 1000;
      }
    }
    return this.#store.finish(slot, effect, now, Math.max(this.#quietUntil, Date.now() + 1000));
  }
}
