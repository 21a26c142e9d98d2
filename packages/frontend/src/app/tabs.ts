/** Whether this tab shares its connection with others; not with `?shareAcrossTabs=false` in the address. */
export function sharesTabs(): boolean {
  return new URLSearchParams(window.location.search).get('shareAcrossTabs') !== 'false'
}
