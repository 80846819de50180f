/** What fits beside a sentence into a note of a vendor or a Kubernetes Event. */
const MAX_ADDRESS = 500;
const ADDRESS = /^https?:\/\/[^\s@\\?#]+$/i;

/**
 * The address of the page as people reach it, in its normal form without a slash at the end; undefined for what is not
 * an absolute http or https URL, is longer than 500 characters, or has credentials, a query or a fragment.
 */
export function pageAddress(text: string): string | undefined {
  const url = ADDRESS.test(text) ? URL.parse(text) : null;
  const address = url?.href.replace(/\/+$/, '');
  return address === undefined || address.length > MAX_ADDRESS ? undefined : address;
}

/** A link to one page below `publicUrl` (`web.publicUrl`). Undefined without an address: the link is left out. */
export function pageLink(publicUrl: string | undefined, ...segments: readonly string[]): string | undefined {
  return publicUrl === undefined ? undefined : [publicUrl, ...segments.map(encodeURIComponent)].join('/');
}
