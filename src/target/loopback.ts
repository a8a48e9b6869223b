/** Whether a host, by its name or address and without a port, is the machine that asks for it. */
export function isLoopbackHost(host: string): boolean {
	return /^(?:localhost|127(?:\.\d+){3}|::1)$/i.test(host);
}
