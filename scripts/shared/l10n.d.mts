export const bundleFile: string;
export function bundleText(): string;
export function messagesOf(file: string, source: string): { message?: string; problem?: string }[];
