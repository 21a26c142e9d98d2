/** The rules of a chat's scrolling, as functions of what a scroll box measures. */
export interface Box {
  scrollTop: number
  scrollHeight: number
  clientHeight: number
}

/** Within this distance, in pixels, of the bottom one counts as being there. */
export const BOTTOM_SLACK = 48
/** So near to the top the next page of history is fetched, before its lack is seen. */
export const TOP_REACH = 400

export function measure(element: Box): Box {
  const { scrollTop, scrollHeight, clientHeight } = element
  return { scrollTop, scrollHeight, clientHeight }
}

export function isAtBottom(box: Box): boolean {
  return box.scrollHeight - box.clientHeight - box.scrollTop <= BOTTOM_SLACK
}

/**
 * Whether the view follows new text after a scroll event. Only a move upwards lets go: text that
 * grows faster than the view is moved must not look like a person who scrolls.
 */
export function follows(following: boolean, before: Box, now: Box): boolean {
  if (isAtBottom(now)) return true
  return following && now.scrollTop >= before.scrollTop
}

/** Where the view has to be so that what was seen stays where it was, when that much came above. */
export function keepPlace(scrollTop: number, growth: number): number {
  return Math.max(0, scrollTop + growth)
}

export function wantsOlder(box: Box): boolean {
  return box.scrollTop <= TOP_REACH
}
