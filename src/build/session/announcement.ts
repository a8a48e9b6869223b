import type { LocalPart } from "../../buildkit/local-definition.js";
import type { BuildContext } from "../../context/build-context.js";
import type { SelectableDirectory } from "../../context/entries/context-selection.js";
import type { Engine } from "../../engine/engine.js";
import type { Environment } from "../../environment.js";
import type { ContextIndex } from "../context-index/context-index.js";
import type { ContextIndexes } from "../context-index/context-indexes.js";
import { placeKey } from "../context-index/place-key.js";
import type { NamedDirectory } from "../inputs/named-directories.js";
import type { BuildPlan } from "../plan/build-plan.js";

/** What BuildKit is to do, where, of what, and how it is told of that. */
export interface AnnouncedBuild {
	readonly engine: Engine;
	readonly context: BuildContext;
	readonly plan: BuildPlan;
	readonly announcement: Announcement;
}

/** How a daemon is told of the directories that a build is made from. */
export interface Announcement {
	/** Of the session: the key under which the daemon keeps what it is sent of a directory. */
	readonly sharedKey: string;
	/** By which the files of the build context are announced; absent: by their own times. */
	readonly index?: ContextIndex | undefined;
	readonly named: readonly AnnouncedDirectory[];
}

export interface AnnouncedDirectory extends NamedDirectory {
	/** By which the daemon asks for it, and keeps its files beside those of the session's key. */
	readonly localName: string;
	/** As the build context has one. */
	readonly index: ContextIndex | undefined;
	/** Absent: the frontend finds out which parts to ask for. */
	readonly jointPart: LocalPart | undefined;
}

/** Of a name, hex digits that nobody else's has, short enough to be read. */
const DIGITS = 16;

/**
 * Where the daemon is to keep each directory: by its index where it has one, which may be the same on every
 * machine, and else by its place on this one.
 *
 * @param indexes absent where none are used
 * @param jointParts by name
 */
export async function announce(
	context: BuildContext,
	named: readonly NamedDirectory[],
	environment: Environment,
	indexes?: ContextIndexes,
	jointParts?: ReadonlyMap<string, LocalPart | undefined>,
): Promise<Announcement> {
	const announced = named.map(async (directory): Promise<AnnouncedDirectory> => {
		const { name, root } = directory;
		const index = indexes?.named.get(name);
		const key = index?.sharedKey ?? (await placeKey(root, environment));
		const localName = `${name}-${key.slice(0, DIGITS)}`;
		return { ...directory, localName, index, jointPart: jointParts?.get(name) };
	});
	const index = indexes?.main;
	const place = context.kind === "directory" ? context.root : "";
	return {
		sharedKey: index?.sharedKey ?? (await placeKey(place, environment)),
		index,
		named: await Promise.all(announced),
	};
}

/** Waits for the index before anything is announced. */
export function announcedBy(
	index: ContextIndex | undefined,
	directory: SelectableDirectory,
): SelectableDirectory {
	if (index === undefined) return directory;
	return {
		async select(filter) {
			await index.ready;
			return directory.select(filter);
		},
	};
}
