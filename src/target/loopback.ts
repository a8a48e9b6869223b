/**
 * Whether a host is the machine that asks for it. 127.1 is short for 127.0.0.1, and a socket for both kinds of
 * addresses has ::ffff: before those of IPv4.
 * @param host its name or address, without a port and without brackets
 */
export function isLoopbackHost(host: string): boolean {
	return /^(?:localhost|(?:::ffff:)?127(?:\.\d+){1,3}|::1)$/i.test(host);
}
