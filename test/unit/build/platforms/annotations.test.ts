import assert from "node:assert/strict";
import { test } from "node:test";
import { platformAnnotations } from "../../../../src/build/platforms/annotations.js";

test("annotations go to whoever writes what they are about", () => {
	const annotations = platformAnnotations({
		"annotation.org.example.all": "1",
		"annotation-manifest[linux/arm64/v8].arm": "2",
		"annotation-manifest-descriptor.each": "3",
		"annotation-manifest-descriptor[linux/amd64].x86": "4",
		"annotation-index.index": "5",
		"annotation-index-descriptor.outside": "6",
	});
	assert.deepEqual(annotations.ofImage("linux/amd64"), { "annotation.org.example.all": "1" });
	assert.deepEqual(annotations.ofImage("linux/arm64"), {
		"annotation.org.example.all": "1",
		"annotation.arm": "2",
	});
	assert.deepEqual(annotations.ofDescriptor("linux/amd64"), { each: "3", x86: "4" });
	assert.deepEqual(annotations.ofDescriptor("linux/arm64"), { each: "3" });
	assert.deepEqual(annotations.ofIndex, { index: "5" });
	assert.deepEqual(annotations.ofIndexDescriptor, { outside: "6" });
});
