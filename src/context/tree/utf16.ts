import { ContextError } from "../../errors.js";

/**
 * Refuses what Windows PowerShell's ">" makes of a text, by the mark at its beginning: builders take a Dockerfile of
 * it for one unknown instruction, and the rules of a .dockerignore for ones that match nothing.
 *
 * @param name for the message, behind "cannot read"
 * @throws ContextError
 */
export function refuseUtf16(content: Uint8Array, name: string): void {
	const [first, second] = content;
	const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
	if (!isUtf16) return;
	throw new ContextError(`cannot read ${name}: it is text in UTF-16, which no builder reads`, {
		hint: "save it as UTF-8; in Windows PowerShell, write it with `Out-File -Encoding utf8` and not with `>`",
	});
}
