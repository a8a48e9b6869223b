const ZOOM_MS = 260;

/** Two pictures of which one is a part of the other, in CSS pixels. */
export interface Zoom {
	readonly before: HTMLCanvasElement;
	readonly after: HTMLCanvasElement;
	/** Whether the new picture is the part. */
	readonly isInward: boolean;
	/** Where in the larger picture the part is. */
	readonly place: {
		readonly x0: number;
		readonly y0: number;
		readonly x1: number;
		readonly y1: number;
	};
	readonly width: number;
	readonly height: number;
}

/**
 * Has the part grow out of its place, or shrink into it.
 *
 * @param over called in place of the last picture
 * @returns stops it
 */
export function animate(
	context: CanvasRenderingContext2D,
	zoom: Zoom,
	over: () => void,
): () => void {
	const start = performance.now();
	const step = (now: number) => {
		const progress = Math.min(1, Math.max(0, (now - start) / ZOOM_MS));
		if (progress === 1) {
			over();
			return;
		}
		drawZoom(context, zoom, 1 - (1 - progress) ** 3);
		frame = requestAnimationFrame(step);
	};
	let frame = requestAnimationFrame(step);
	return () => cancelAnimationFrame(frame);
}

/** @param progress from 0, which is all of the old picture, to 1 */
function drawZoom(context: CanvasRenderingContext2D, zoom: Zoom, progress: number): void {
	const { before, after, isInward, place, width, height } = zoom;
	const [part, whole] = isInward ? [after, before] : [before, after];
	const grown = isInward ? progress : 1 - progress;
	context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
	context.globalAlpha = 1;
	context.drawImage(whole, 0, 0, width, height);
	context.globalAlpha = grown;
	const x = place.x0 * (1 - grown);
	const y = place.y0 * (1 - grown);
	const right = place.x1 + (width - place.x1) * grown;
	const bottom = place.y1 + (height - place.y1) * grown;
	context.drawImage(part, x, y, right - x, bottom - y);
	context.globalAlpha = 1;
}
