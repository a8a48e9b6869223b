import { DeliveryError } from "../../errors.js";

/** Those that undici speaks to. A socks5h proxy is asked for names, as undici asks every SOCKS proxy. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
	["http:", "http:"],
	["https:", "https:"],
	["socks5:", "socks5:"],
	["socks5h:", "socks5:"],
]);

/**
 * The URL of the proxy that the environment names, or "". Without a scheme it is an http proxy, as for docker
 * and curl (golang.org/x/net/http/httpproxy).
 *
 * @param name such as "https_proxy", which comes before the one in capitals
 * @throws DeliveryError, without the value, which may have a password
 */
export function proxyAddress(
	variables: Readonly<Record<string, string | undefined>>,
	name: string,
): string {
	const used = variables[name] ? name : name.toUpperCase();
	const value = variables[used];
	if (!value) return "";
	const url = parse(value.includes("://") ? value : `http://${value}`);
	if (url !== undefined) return url;
	throw new DeliveryError(`${used} is not the URL of a proxy`, {
		hint: "write it as http://HOST:PORT; https:// and socks5:// are supported, too",
	});
}

function parse(text: string): string | undefined {
	if (!URL.canParse(text)) return undefined;
	const url = new URL(text);
	const protocol = PROTOCOLS.get(url.protocol);
	return protocol && protocol + url.href.slice(url.protocol.length);
}
