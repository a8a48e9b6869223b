import { Duplex } from "node:stream";

/** A stream with the methods for socket options, which HTTP clients call and which do nothing here. */
export abstract class SocketLike extends Duplex {
	readonly connecting = false;

	setNoDelay(): this {
		return this;
	}

	setKeepAlive(): this {
		return this;
	}

	setTimeout(): this {
		return this;
	}

	ref(): this {
		return this;
	}

	unref(): this {
		return this;
	}
}
