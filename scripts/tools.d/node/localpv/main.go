// Command localpv provisions volumes on the one node of a test cluster: every claim of the StorageClass "standard" gets a
// folder and a volume of type "local". Not hostPath: kubelet applies fsGroup to local volumes and never to hostPath ones,
// so a chart that forgets fsGroup fails here as it does on a disk of a cloud. Sizes are not enforced.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const provisioner = "lifecycle-bridge.test/localpv"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	root := flag.String("root", "", "folder that holds the volumes")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	ctx := context.Background()

	reclaim, binding := core.PersistentVolumeReclaimDelete, storage.VolumeBindingWaitForFirstConsumer
	_, err = client.StorageV1().StorageClasses().Create(ctx, &storage.StorageClass{
		ObjectMeta: meta.ObjectMeta{
			Name:        "standard",
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner: provisioner, ReclaimPolicy: &reclaim, VolumeBindingMode: &binding,
	}, meta.CreateOptions{})
	if err != nil && !errors.IsAlreadyExists(err) {
		log.Fatal(err)
	}

	factory := informers.NewSharedInformerFactory(client, 0)
	claims, volumes := factory.Core().V1().PersistentVolumeClaims(), factory.Core().V1().PersistentVolumes()
	changed := make(chan struct{}, 1)
	poke := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: poke, UpdateFunc: func(_, o any) { poke(o) }, DeleteFunc: poke}
	claims.Informer().AddEventHandler(handler)
	volumes.Informer().AddEventHandler(handler)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	for {
		failed := false
		note := func(err error) {
			if err != nil {
				log.Print(err)
				failed = true
			}
		}
		wanted, _ := claims.Lister().List(labels.Everything())
		for _, claim := range wanted {
			node := claim.Annotations["volume.kubernetes.io/selected-node"] // none until a pod wants the volume
			ours := claim.Annotations["volume.kubernetes.io/storage-provisioner"] == provisioner
			if ours && node != "" && claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil {
				note(provision(ctx, client, claim, *root, node))
			}
		}
		have, _ := volumes.Lister().List(labels.Everything())
		for _, volume := range have {
			ours := volume.Annotations["pv.kubernetes.io/provisioned-by"] == provisioner
			if ours && volume.Status.Phase == core.VolumeReleased &&
				volume.Spec.PersistentVolumeReclaimPolicy == core.PersistentVolumeReclaimDelete {
				note(remove(ctx, client, volume))
			}
		}
		if failed {
			time.AfterFunc(2*time.Second, func() { poke(nil) })
		}
		<-changed
	}
}

func provision(ctx context.Context, client kubernetes.Interface, claim *core.PersistentVolumeClaim, root, node string) error {
	name := "pvc-" + string(claim.UID)
	folder := filepath.Join(root, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	_, err := client.CoreV1().PersistentVolumes().Create(ctx, &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisioner},
		},
		Spec: core.PersistentVolumeSpec{
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeSource:        core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: folder}},
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
				MatchExpressions: []core.NodeSelectorRequirement{{
					Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node},
				}},
			}}}},
		},
	}, meta.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func remove(ctx context.Context, client kubernetes.Interface, volume *core.PersistentVolume) error {
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil {
		return err
	}
	err := client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
