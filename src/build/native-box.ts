import { runsNatively } from "../engine/platforms.js";
import type { Environment } from "../environment.js";
import { ConnectionError, RbuildError } from "../errors.js";
import type { Run } from "../events.js";
import type { ChosenTarget } from "../target/target.js";
import { answerOf, type BoxAnswer, openBox } from "./ask-box.js";
import type { BuildPlan } from "./build-plan.js";
import type { Candidate } from "./candidates.js";
import type { ChosenBox } from "./choose-box.js";
import { Closing } from "./closing.js";
import { KnownAnswers } from "./known-answers.js";
import { OpenedBox } from "./opened-box.js";

/** How long a box may take to answer, in milliseconds. */
const LIMIT = 10_000;

type Wish = Pick<BuildPlan, "platform" | "allowEmulation">;

/** A candidate that can be asked. */
interface Box {
	readonly name: string;
	readonly chosen: ChosenTarget;
}

/**
 * Of several boxes, the first to answer that runs the wanted platform natively; without a platform, the
 * first to answer. What they have answered a short time ago need not be asked again.
 *
 * @param closing as for chooseBox()
 * @throws ConnectionError when none fits, or none answers; InterruptedError
 */
export async function chooseNativeBox(
	candidates: readonly Candidate[],
	wish: Wish,
	environment: Environment,
	run: Run,
	closing?: Closing,
): Promise<ChosenBox> {
	const known = await KnownAnswers.read(environment);
	const ask = () => askForNativeBox(candidates, wish, known, environment, run, closing);
	const remembered = fastestKnown(candidates, wish, known);
	if (remembered === undefined) return await ask();
	return {
		chosen: remembered,
		another: () => {
			known.forget(remembered.target);
			return ask();
		},
	};
}

function fastestKnown(
	candidates: readonly Candidate[],
	wish: Wish,
	known: KnownAnswers,
): ChosenTarget | undefined {
	const fitting = boxesOf(candidates).flatMap(({ chosen }) => {
		const answer = known.of(chosen.target);
		return answer !== undefined && fits(answer.platform, wish) ? [{ chosen, ...answer }] : [];
	});
	const [best] = fitting.sort((a, b) => a.latencyMs - b.latencyMs);
	if (best === undefined) return undefined;
	const { chosen, platform } = best;
	const why = `${chosen.chosenBy}: ${platform}, lately the fastest of ${candidates.length}`;
	return { target: chosen.target, chosenBy: why };
}

async function askForNativeBox(
	candidates: readonly Candidate[],
	wish: Wish,
	known: KnownAnswers,
	environment: Environment,
	run: Run,
	closing: Closing | undefined,
): Promise<ChosenBox> {
	await using connections = new Closing();
	const found = new AbortController();
	const signal = AbortSignal.any([run.signal, found.signal]);
	const answers = new Map<Box, BoxAnswer>();
	const opened = new Map<Box, OpenedBox>();
	const failures = new Map(
		candidates.map(({ name, outcome }) => [
			name,
			outcome instanceof RbuildError ? outcome : undefined,
		]),
	);
	const asking = boxesOf(candidates).map(async (box) => {
		const connection = await openBox(box.chosen, environment, LIMIT, signal);
		if (connection instanceof RbuildError) {
			failures.set(box.name, connection);
			throw connection;
		}
		opened.set(box, connections.use(new OpenedBox(connection)));
		const answer = answerOf(connection);
		answers.set(box, answer);
		known.remember(box.chosen.target, answer);
		if (!fits(answer.engine.platform, wish)) throw noneFits(answers, failures, wish);
		return box;
	});
	const first = await Promise.any(asking).catch(({ errors }: AggregateError) => {
		const bug = errors.find((error) => !(error instanceof RbuildError));
		if (bug !== undefined) throw bug;
		return undefined;
	});
	found.abort();
	await Promise.allSettled(asking);
	if (run.signal.aborted) throw run.signal.reason;
	await known.write();

	const [fastest] = answers.keys();
	const winner = first ?? (wish.allowEmulation ? fastest : undefined);
	const answer = winner && answers.get(winner);
	if (winner === undefined || answer === undefined) throw noneFits(answers, failures, wish);
	const { target, chosenBy } = winner.chosen;
	const why = `${chosenBy}: ${answer.engine.platform}, the first of ${candidates.length} to answer`;
	const kept = closing && opened.get(winner)?.take();
	return {
		chosen: { target, chosenBy: why },
		...(kept && { opened: closing.use(new OpenedBox(kept)) }),
	};
}

function boxesOf(candidates: readonly Candidate[]): readonly Box[] {
	return candidates.flatMap(({ name, outcome }) =>
		outcome instanceof RbuildError ? [] : [{ name, chosen: outcome }],
	);
}

function fits(platform: string, wish: Wish): boolean {
	return wish.platform === undefined || runsNatively(wish.platform, platform);
}

function noneFits(
	answers: ReadonlyMap<Box, BoxAnswer>,
	failures: ReadonlyMap<string, RbuildError | undefined>,
	{ platform }: Wish,
): ConnectionError {
	const kinds = [...answers].map(([{ name }, { engine }]) => `${name} is ${engine.platform}`);
	const silent = [...failures].flatMap(([name, error]) =>
		error === undefined ? [] : `${name}: ${error.message}`,
	);
	const all = [...kinds, ...silent].join("; ");
	if (failures.size === 0) {
		return new ConnectionError("no-native-box", "there is no box to choose from", {
			hint: "add one with: rbuild hosts add NAME ssh://user@host",
		});
	}
	if (platform === undefined || kinds.length === 0) {
		return new ConnectionError("no-native-box", `no box answers: ${all}`, {
			hint: "see all of them with: rbuild hosts",
		});
	}
	return new ConnectionError("no-native-box", `no box runs ${platform} natively: ${all}`, {
		hint: "add one with rbuild hosts add, or add --allow-emulation to have it emulated, slowly",
	});
}
