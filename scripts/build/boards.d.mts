export function listBoards(directory: string): string[];
