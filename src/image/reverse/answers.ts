import type { ServerResponse } from "node:http";

/** As the distribution-spec wants errors. */
export function refuse(
	response: ServerResponse,
	status: number,
	code: string,
	message: string,
): void {
	const body = JSON.stringify({ errors: [{ code, message }] });
	respond(response, status, { "Content-Type": "application/json" }, body);
}

/** Nothing where another answer was begun. */
export function respond(
	response: ServerResponse,
	status: number,
	headers: Readonly<Record<string, string | number>> = {},
	body: string | Buffer = "",
): void {
	if (response.headersSent) return;
	response.writeHead(status, {
		"Docker-Distribution-Api-Version": "registry/2.0",
		"Content-Length": Buffer.byteLength(body),
		...headers,
	});
	response.end(response.req.method === "HEAD" ? "" : body);
}
