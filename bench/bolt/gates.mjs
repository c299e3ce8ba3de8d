// The gates that guard an approval, as far as the bench's configuration has rules for them.

import { sentence } from "./message.mjs";

// Everything that is in the way of this speaker's vote, in words.
export function refusals(facts, run, channel) {
  const environments = run.pinned.environments.map((target) => target.environment);
  const found = [];
  if (facts.speaker.standing !== "member") found.push(facts.speaker.why);
  if (channel !== facts.service.channel) found.push(`${facts.service.id} is changed in its home channel only. Say it there.`);
  found.push(...round(facts, run));
  for (const environment of environments) found.push(...where(facts, run, environment));
  if (run.votes.some((vote) => vote.user === facts.speaker.id && vote.ballot === "approve"))
    found.push("You have approved this already. It counts once.");
  return found;
}

function round(facts, run) {
  if (run.status.status !== "waiting") return ["This is decided already; nothing was sent twice."];
  if (facts.now >= run.pinned.gives_up_at)
    return ["CodePipeline has given up on this request: nobody answered in time. Start the pipeline again."];
  return [];
}

function where(facts, run, environment) {
  const { desk, now, speaker } = facts;
  const found = [];
  if (!facts.members.includes(speaker.id)) found.push(`You may not approve ${environment}.`);
  if (environment === facts.settings.production) found.push(...fourEyes(facts, run, environment));
  for (const freeze of desk.freezes) {
    if ((freeze.environment ?? environment) === environment && (freeze.until === null || now < freeze.until))
      found.push(`${environment} is frozen: ${freeze.reason}`);
  }
  const lock = desk.locks[environment];
  if (lock && lock.owner !== speaker.id && (lock.until === null || now < lock.until)) found.push(`${environment} is locked by <@${lock.owner}>.`);
  const holder = facts.claims.get(environment);
  if (holder && holder !== run.id) found.push(`${environment} is being changed by run ${holder} just now.`);
  return found;
}

function fourEyes(facts, run, environment) {
  const { change, pinned } = run;
  if (!change) return ["What would go out is still being looked up, so its authors are not known yet. Try again in a few seconds."];
  const wrote = change.commits.some((commit) => commit.user === facts.speaker.id);
  if (wrote || pinned.starter.user === facts.speaker.id) return [`Somebody else has to approve this for ${environment}.`];
  if (change.unknown || change.commits.some((commit) => commit.user === null))
    return ["The authors of this are not all known, so self-approval cannot be ruled out."];
  return [];
}

// What a refused speaker is told.
export function refusalMessage(found) {
  return sentence(found.join(" "));
}
