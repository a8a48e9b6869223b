import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";
import { replaceCacheFile } from "../../disk/cache-file.js";

const DIGEST_BYTES = 32;

/** A program that was compiled, or taken from a code cache, and has been started. */
interface CompiledProgram<Exports> {
	readonly exports: Exports;
	/** Whether its code came from the cache. */
	readonly fromCache: boolean;
	/** Keeps what V8 has compiled up to now for the next run. @throws NodeJS.ErrnoException */
	keep(): Promise<void>;
}

/**
 * Starts a program that is one function of what a CommonJS module may use: (exports, require, module,
 * __filename, __dirname), in ASCII and without any import(). Its compiled code is kept in a file between
 * runs, functions that were compiled while it ran included: a build of three files takes a quarter less CPU.
 * What node does of this itself (module.enableCompileCache, from 22.1 on) gained a third of that.
 *
 * V8 refuses code of another version of it or for other flags (v8::ScriptCompiler::CachedData), but looks
 * at nothing else: that the code is whole, of this source and of this user is checked here.
 *
 * @param file absolute path of the program
 * @param cacheFile absolute path; it need not be there
 * @throws NodeJS.ErrnoException when the program cannot be read
 */
export function compileProgram<Exports>(file: string, cacheFile: string): CompiledProgram<Exports> {
	// As latin1 it stays outside of the heap and is not copied.
	const source = readFileSync(file, "latin1");
	const digest = createHash("sha256").update(source, "latin1");
	const kept = keptCode(cacheFile, digest);
	const script = new Script(source, {
		filename: file,
		...(kept === undefined ? {} : { cachedData: kept }),
	});
	const module = { exports: {} };
	script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
	return {
		exports: module.exports as Exports,
		fromCache: kept !== undefined && script.cachedDataRejected !== true,
		async keep() {
			const code = script.createCachedData();
			await replaceCacheFile(cacheFile, Buffer.concat([digestOf(digest, code), code]));
		},
	};
}

function keptCode(cacheFile: string, source: Hash): Buffer | undefined {
	const content = ownFile(cacheFile);
	const code = content?.subarray(DIGEST_BYTES);
	if (content === undefined || code === undefined) return undefined;
	return digestOf(source, code).equals(content.subarray(0, DIGEST_BYTES)) ? code : undefined;
}

/** Who runs rbuild as root does not run what another user left for it. */
function ownFile(path: string): Buffer | undefined {
	let file: number | undefined;
	try {
		// A pipe is not waited for.
		file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
		const stats = fstatSync(file);
		const isOwn = process.getuid === undefined || stats.uid === process.getuid();
		return isOwn && stats.isFile() ? readFileSync(file) : undefined;
	} catch {
		return undefined;
	} finally {
		if (file !== undefined) closeSync(file);
	}
}

function digestOf(source: Hash, code: Uint8Array): Buffer {
	return source.copy().update(code).digest();
}
