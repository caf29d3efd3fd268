/** Folders whose Python nobody in the workspace writes: hidden, installed or built. */
export const skippedFolders =
  /^(\.|__pycache__$|node_modules$|site-packages$|venv$|env$|build$|dist$)/;
