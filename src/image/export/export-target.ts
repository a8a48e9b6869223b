/**
 * A place for what a build exports. Disposing of it removes what was received and not committed, as
 * far as that can be taken back.
 */
export interface ExportTarget extends AsyncDisposable {
	/** For events and messages: an absolute path, or "the standard output". */
	readonly name: string;
	/**
	 * Takes a whole tar, once.
	 * @throws DeliveryError; whatever `tar` throws
	 */
	receive(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
	/**
	 * The build is done: what was received appears under its name.
	 * @throws DeliveryError
	 */
	commit(): Promise<void>;
}
