import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Readable } from "node:stream";
import type { FailureOfExit } from "../../channel-socket.js";
import type { CommandChannel, DaemonStream } from "../remote-host.js";
import { RelayedStream } from "./relayed-stream.js";

/** A command of the box's that an ssh program of this machine runs: its standard input and output. */
export class SshProcess extends RelayedStream implements CommandChannel {
	readonly stderr: Readable;
	readonly #child: ChildProcessWithoutNullStreams;
	#failureOf: FailureOfExit = () => undefined;

	constructor(child: ChildProcessWithoutNullStreams) {
		super({
			input: child.stdout,
			output: child.stdin,
			close: () => {
				child.kill();
				child.stdout.resume();
			},
		});
		this.#child = child;
		this.stderr = child.stderr;
		child.on("error", (error) => this.destroy(error));
		child.once("exit", (code) => this.emit("exit", code));
		// Its output has been read by then, and its exit code is known.
		child.once("close", (code) => this.finish(this.#failureOf(code)));
	}

	/** From here on the end of the command may be a failure. */
	asStream(failureOf: FailureOfExit = () => undefined): DaemonStream {
		this.#failureOf = failureOf;
		return this;
	}

	close(): void {
		this.#child.kill();
	}
}
