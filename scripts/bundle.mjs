// Bundles what runs as a process, so that a node starts fast. Nothing runs as a process yet.
export {}
