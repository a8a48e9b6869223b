import { Closing } from "../../closing.js";
import { runsNatively } from "../../engine/platforms.js";
import type { Environment } from "../../environment.js";
import { ConnectionError, RbuildError } from "../../errors.js";
import type { Run } from "../../events.js";
import type { ChosenTarget, Target } from "../../target/target.js";
import { answerOf, openBox } from "./ask-box.js";
import type { Candidate } from "./candidates.js";
import type { ChosenBox, PlatformsWish } from "./choose-box.js";
import { KnownAnswers } from "./known-answers.js";
import { OpenedBox } from "./opened-box.js";

/** How long a box may take to answer, in milliseconds. */
const LIMIT = 10_000;

/** A candidate that can be asked. */
interface Box {
	readonly name: string;
	readonly chosen: ChosenTarget;
}

interface AnsweredBox extends Box {
	readonly platform: string;
	/** Over which it was asked. */
	readonly opened: OpenedBox;
}

interface Answers {
	/** In the order in which they came. */
	readonly answered: readonly AnsweredBox[];
	/** By the names of all candidates: why there is no answer, where that is known. */
	readonly failures: ReadonlyMap<string, RbuildError | undefined>;
}

/** What every round of questions is asked with. */
interface Asking {
	readonly candidates: readonly Candidate[];
	readonly known: KnownAnswers;
	readonly environment: Environment;
	readonly run: Run;
}

/**
 * Of several boxes, for each platform the first to answer that runs it natively; for any platform, the
 * first to answer. What has to be emulated goes to a box with nothing else to do, if there is one. What
 * they have answered a short time ago need not be asked again.
 *
 * @param closing as for chooseBox()
 * @returns in the order of the platforms
 * @throws ConnectionError when for one of them none fits, or none answers; InterruptedError
 */
export async function chooseNativeBoxes(
	candidates: readonly Candidate[],
	{ platforms, allowEmulation }: PlatformsWish,
	environment: Environment,
	run: Run,
	closing: Closing | undefined,
): Promise<readonly ChosenBox[]> {
	const known = await KnownAnswers.read(environment);
	const asking = { candidates, known, environment, run };
	const remembered = platforms.map((platform) => fastestKnown(candidates, platform, known));
	const taken = new Set(remembered.flatMap((chosen) => chosen?.target ?? []));
	const ask = (platforms: PlatformsWish["platforms"]) =>
		askForNativeBoxes(asking, { platforms, allowEmulation }, taken, closing);
	const unknown = platforms.filter((_, index) => remembered[index] === undefined);
	const found = unknown.length > 0 ? await ask(unknown) : [];
	return platforms.map((platform, index) => {
		const chosen = remembered[index];
		if (chosen === undefined) return found[unknown.indexOf(platform)] as ChosenBox;
		const another = async () => {
			known.forget(chosen.target);
			const [box] = await ask([platform]);
			return box as ChosenBox;
		};
		return { chosen, another };
	});
}

function fastestKnown(
	candidates: readonly Candidate[],
	wanted: string | undefined,
	known: KnownAnswers,
): ChosenTarget | undefined {
	const fitting = boxesOf(candidates).flatMap(({ chosen }) => {
		const answer = known.of(chosen.target);
		return answer !== undefined && fits(answer.platform, wanted) ? [{ chosen, ...answer }] : [];
	});
	const [best] = fitting.sort((a, b) => a.latencyMs - b.latencyMs);
	if (best === undefined) return undefined;
	const { chosen, platform } = best;
	const why = `${chosen.chosenBy}: ${platform}, lately the fastest of ${candidates.length}`;
	return { target: chosen.target, chosenBy: why };
}

/** @param taken boxes that have something else to do */
async function askForNativeBoxes(
	asking: Asking,
	wish: PlatformsWish,
	taken: ReadonlySet<Target>,
	closing: Closing | undefined,
): Promise<readonly ChosenBox[]> {
	await using connections = new Closing();
	const { answered, failures } = await askAll(asking, wish.platforms, connections);
	await asking.known.write();
	return placesFor(wish, answered, taken).map((place, index) => {
		if (place === undefined) throw noneFits(answered, failures, wish.platforms[index]);
		const { chosen, platform, opened } = place;
		const why = `${chosen.chosenBy}: ${platform}, the first of ${asking.candidates.length} to answer`;
		const kept = closing && opened.take();
		return {
			chosen: { target: chosen.target, chosenBy: why },
			...(kept && { opened: closing.use(new OpenedBox(kept)) }),
		};
	});
}

/** Asks all of them at once, and goes on as soon as there is a box for each platform. */
async function askAll(
	{ candidates, known, environment, run }: Asking,
	platforms: PlatformsWish["platforms"],
	connections: Closing,
): Promise<Answers> {
	const found = new AbortController();
	const signal = AbortSignal.any([run.signal, found.signal]);
	const answered: AnsweredBox[] = [];
	const failures = new Map(
		candidates.map(({ name, outcome }) => [
			name,
			outcome instanceof RbuildError ? outcome : undefined,
		]),
	);
	const asking = boxesOf(candidates).map(async (box) => {
		const connection = await openBox(box.chosen, environment, LIMIT, signal).catch((error) => {
			// Nobody waits for those that are asked still.
			if (!found.signal.aborted) throw error;
		});
		if (connection === undefined) return;
		if (connection instanceof RbuildError) {
			failures.set(box.name, connection);
			return;
		}
		const opened = connections.use(new OpenedBox(connection));
		const answer = answerOf(connection);
		answered.push({ ...box, platform: answer.engine.platform, opened });
		known.remember(box.chosen.target, answer);
		if (platforms.every((platform) => firstFor(platform, answered) !== undefined)) found.abort();
	});
	const outcomes = await Promise.allSettled(asking);
	if (run.signal.aborted) throw run.signal.reason;
	for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
	return { answered, failures };
}

/** For each platform the box to build it; undefined where there is none. */
function placesFor(
	{ platforms, allowEmulation }: PlatformsWish,
	answered: readonly AnsweredBox[],
	taken: ReadonlySet<Target>,
): readonly (AnsweredBox | undefined)[] {
	const native = platforms.map((platform) => firstFor(platform, answered));
	if (!allowEmulation) return native;
	const busy = new Set([...taken, ...native.flatMap((box) => box?.chosen.target ?? [])]);
	return native.map((box) => {
		const place = box ?? answered.find(({ chosen }) => !busy.has(chosen.target)) ?? answered[0];
		if (place !== undefined) busy.add(place.chosen.target);
		return place;
	});
}

function firstFor(
	platform: string | undefined,
	answered: readonly AnsweredBox[],
): AnsweredBox | undefined {
	return answered.find((box) => fits(box.platform, platform));
}

function boxesOf(candidates: readonly Candidate[]): readonly Box[] {
	return candidates.flatMap(({ name, outcome }) =>
		outcome instanceof RbuildError ? [] : [{ name, chosen: outcome }],
	);
}

function fits(platform: string, wanted: string | undefined): boolean {
	return wanted === undefined || runsNatively(wanted, platform);
}

function noneFits(
	answered: Answers["answered"],
	failures: Answers["failures"],
	wanted: string | undefined,
): ConnectionError {
	const kinds = answered.map(({ name, platform }) => `${name} is ${platform}`);
	const silent = [...failures].flatMap(([name, error]) =>
		error === undefined ? [] : `${name}: ${error.message}`,
	);
	const all = [...kinds, ...silent].join("; ");
	if (failures.size === 0) {
		return new ConnectionError("no-native-box", "there is no box to choose from", {
			hint: "add one with: rbuild hosts add NAME ssh://user@host",
		});
	}
	if (wanted === undefined || kinds.length === 0) {
		return new ConnectionError("no-native-box", `no box answers: ${all}`, {
			hint: "list them with: rbuild hosts",
		});
	}
	return new ConnectionError("no-native-box", `no box runs ${wanted} natively: ${all}`, {
		hint: "add one with rbuild hosts add, or add --allow-emulation to have it emulated, slowly",
	});
}
