/* The sandbox's control API: what people do, and what there is to see. */

const FAILURES = {
  operation_timeout: "The app took longer than 3 seconds to answer, so Slack gave up waiting.",
  dispatch_failed: "The app could not be reached, or its answer could not be used.",
  not_in_channel: "Join this channel first.",
  is_archived: "This channel is archived.",
};

export class Failure extends Error {}

/* Do something as a person; throws Failure with a sentence. */
export async function act(deed, wish) {
  const response = await fetch(`/_control/${deed}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  });
  const answer = await read(response);
  if (answer.ok === false) throw new Failure(FAILURES[answer.error] ?? answer.error ?? "That did not work.");
  return answer;
}

export async function look(path) {
  const response = await fetch(`/_control/${path}`, { cache: "no-store" });
  if (!response.ok) throw new Failure((await read(response)).error ?? `The sandbox answered ${response.status}.`);
  return read(response);
}

async function read(response) {
  try {
    return await response.json();
  } catch {
    return { ok: false, error: `The sandbox answered ${response.status}.` };
  }
}

export const state = () => look("state");
export const clock = () => look("clock");
export const messages = (channel, user) => look(`messages/${channel}?user=${user}`);
export const views = async (user) => (await look(`views/${user}`)).views;
export const home = async (user) => (await look(`home/${user}`)).view;

/* Calls `onchange` with each small change, and `online` with true or false as the connection comes and goes. */
export function listen(onchange, online) {
  const source = new EventSource("/_control/stream");
  source.onmessage = (event) => onchange(JSON.parse(event.data));
  source.onopen = () => online(true);
  source.onerror = () => online(false);
}
