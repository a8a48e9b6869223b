import * as os from "node:os";
import type { Writable } from "node:stream";
import { fileSendService, type SentExport } from "../../buildkit/file-send.js";
import { GRPC_STATUS, GrpcError } from "../../buildkit/grpc/grpc-status.js";
import type { SessionService } from "../../buildkit/session-service.js";
import { closeAll } from "../../closing.js";
import { DeliveryError, type RbuildError } from "../../errors.js";
import type { DeliveryReport, Run } from "../../events.js";
import type { ExportTarget } from "../../image/export/export-target.js";
import { FileTarget } from "../../image/export/file-target.js";
import { FolderTarget } from "../../image/export/folder-target.js";
import { StreamTarget } from "../../image/export/stream-target.js";
import type { Collision } from "../../image/export/taken-names.js";
import type { Renamed } from "../../image/export/tar-unpacking.js";
import type { PlannedExport } from "../plan/plan-outputs.js";
import { IncomingExport } from "./incoming-export.js";

/**
 * What the daemon sends back of a build, other than an image in its store. Disposing of it removes what
 * was received of a build that has not come to its end.
 */
export class Exports implements AsyncDisposable {
	/** Why this side could not take something, where it could not. */
	failure: RbuildError | undefined;
	readonly #incoming: readonly IncomingExport[];

	constructor(planned: readonly PlannedExport[], stdout: Writable, run: Run) {
		this.#incoming = planned.map((one) => new IncomingExport(openTarget(one, stdout, run), run));
	}

	get isEmpty(): boolean {
		return this.#incoming.length === 0;
	}

	/** What the daemon needs of the session for them. */
	get services(): readonly SessionService[] {
		if (this.isEmpty) return [];
		return [fileSendService((sent) => this.#take(sent))];
	}

	/**
	 * To be called when the build has succeeded: puts everything in its place.
	 * @throws DeliveryError
	 */
	async commit(): Promise<readonly DeliveryReport[]> {
		const reports: DeliveryReport[] = [];
		for (const incoming of this.#incoming) reports.push(await incoming.commit());
		return reports;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await closeAll(this.#incoming);
	}

	async #take({ exporter, digest, bytes, signal }: SentExport): Promise<void> {
		const incoming = this.#incoming[exporter];
		if (incoming === undefined || incoming.isStarted) {
			const what = incoming === undefined ? "was not asked for" : "is there already";
			throw new GrpcError(GRPC_STATUS.notFound, `the output of exporter ${exporter} ${what}`);
		}
		try {
			await incoming.receive(bytes, digest, signal);
		} catch (error) {
			if (!(error instanceof DeliveryError)) throw error;
			this.failure ??= error;
			throw new GrpcError(GRPC_STATUS.unknown, error.message);
		}
	}
}

function openTarget({ destination }: PlannedExport, stdout: Writable, run: Run): ExportTarget {
	switch (destination.kind) {
		case "folder":
			return new FolderTarget(destination.path, {
				skipped: (paths) => run.emit(leftOut(paths, os.platform())),
				renamed: (names) => run.emit(renamed(names)),
				collided: (collisions) => run.emit(collided(collisions)),
			});
		case "file":
			return new FileTarget(destination.path);
		case "stdout":
			return new StreamTarget(stdout);
	}
}

/** @internal Exported for its test. */
export function leftOut(paths: readonly string[], platform: NodeJS.Platform) {
	// Few users of Windows may make symlinks.
	const written = platform === "win32" ? "file or folder" : "file, folder or link";
	return {
		type: "warning",
		message: `skipped ${JSON.stringify(paths[0])}${andMore(paths)}: not a ${written}`,
		hint: "--output type=tar,dest=FILE has everything",
	} as const;
}

function renamed(names: readonly Renamed[]) {
	const [first] = names;
	return {
		type: "warning",
		message: `${JSON.stringify(first?.path)} is written as ${JSON.stringify(first?.as)}${andMore(names)}: Windows does not allow such names`,
		hint: "--output type=tar,dest=FILE has them as they are",
	} as const;
}

/** As git does after a clone. */
function collided(collisions: readonly Collision[]) {
	const [first, ...others] = collisions;
	const more = others.length === 0 ? "" : `, and so for ${others.length} more`;
	return {
		type: "warning",
		message: `${JSON.stringify(first?.other)} and ${JSON.stringify(first?.path)} have the same name on this system: only the last is there${more}`,
		hint: "--output type=tar,dest=FILE has all",
	} as const;
}

function andMore(all: readonly unknown[]): string {
	return all.length > 1 ? ` and ${all.length - 1} more` : "";
}
